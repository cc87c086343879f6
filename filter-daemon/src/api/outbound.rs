//! The addresses that the proxy tier sends from, as files to be downloaded:
//! `/api/filter/v1/outbound.json`, `outbound/{label}.csv` and the like.
//!
//! Their shape is that of the lists which others publish for the same
//! purpose: a flat array, or one address a line.

use std::collections::BTreeSet;
use std::net::IpAddr;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::fault::Fault;
use super::wire::json;
use crate::config::Outbound;
use crate::control::Control;
use crate::feed;

#[derive(Serialize, ToSchema)]
struct OutboundOut<'a> {
    label: &'a str,
    #[schema(value_type = Vec<String>)]
    addresses: &'a [IpAddr],
}

/// The form of a file.
#[derive(Clone, Copy)]
enum Form {
    Json,
    Csv,
}

pub(super) fn router() -> OpenApiRouter<Control> {
    OpenApiRouter::default()
        .routes(routes!(labels))
        .routes(routes!(all_json))
        .routes(routes!(all_csv))
        .routes(routes!(one))
}

/// Lists the addresses that the proxy tier sends from.
#[utoipa::path(
    get, path = "/outbound",
    operation_id = "listOutbound", tag = "outbound",
    responses((status = 200, description = "The addresses by label", body = Vec<OutboundOut>)),
)]
async fn labels(State(control): State<Control>) -> Response {
    json(&control.outbound().iter().map(OutboundOut::from).collect::<Vec<_>>())
}

/// Lists all addresses as a flat array.
#[utoipa::path(
    get, path = "/outbound.json",
    operation_id = "outboundJson", tag = "outbound",
    responses((status = 200, description = "All addresses", body = Vec<String>)),
)]
async fn all_json(State(control): State<Control>) -> Response {
    all(&control, Form::Json)
}

/// Lists all addresses, one a line.
#[utoipa::path(
    get, path = "/outbound.csv",
    operation_id = "outboundCsv", tag = "outbound",
    responses(
        (
            status = 200,
            description = "All addresses",
            body = String,
            content_type = "text/csv; charset=utf-8",
        ),
    ),
)]
async fn all_csv(State(control): State<Control>) -> Response {
    all(&control, Form::Csv)
}

fn all(control: &Control, form: Form) -> Response {
    let addresses = control.outbound().iter().flat_map(|outbound| &outbound.addresses);
    file(addresses.collect(), form)
}

/// Lists the addresses of one label.
#[utoipa::path(
    get, path = "/outbound/{file}",
    operation_id = "outboundFile", tag = "outbound",
    params(("file" = String, Path, description = "A label with `.json` or `.csv` behind it")),
    responses(
        (
            status = 200,
            description = "The addresses of the label",
            content((Vec<String> = "application/json"), (String = "text/csv; charset=utf-8")),
        ),
    ),
)]
async fn one(State(control): State<Control>, Path(name): Path<String>) -> Result<Response, Fault> {
    let (label, form) = match name.rsplit_once('.') {
        Some((label, "json")) => (label, Form::Json),
        Some((label, "csv")) => (label, Form::Csv),
        Some(_) | None => return Err(Fault::unknown_path()),
    };
    let found = control.outbound().iter().find(|outbound| outbound.label == label);
    let outbound = found.ok_or_else(|| unknown_label(&control, label))?;
    Ok(file(outbound.addresses.iter().collect(), form))
}

fn file(addresses: BTreeSet<&IpAddr>, form: Form) -> Response {
    let texts: Vec<String> = addresses.into_iter().map(IpAddr::to_string).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    match form {
        Form::Json => ([("content-type", "application/json")], feed::flat_json(&texts)),
        Form::Csv => ([("content-type", "text/csv; charset=utf-8")], feed::flat_csv(&texts)),
    }
    .into_response()
}

fn unknown_label(control: &Control, label: &str) -> Fault {
    let labels: Vec<&str> =
        control.outbound().iter().map(|outbound| outbound.label.as_str()).collect();
    let known = match labels.is_empty() {
        true => "filterd.toml names none".to_owned(),
        false => format!("there are {}", labels.join(", ")),
    };
    Fault::not_found(
        "OutboundNotFound",
        format!("no outbound addresses have the label {label:?}: {known}"),
    )
}

impl<'a> From<&'a Outbound> for OutboundOut<'a> {
    fn from(outbound: &'a Outbound) -> Self {
        Self { label: &outbound.label, addresses: &outbound.addresses }
    }
}
