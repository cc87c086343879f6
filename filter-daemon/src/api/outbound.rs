//! The addresses that the proxy tier sends from, as files to be downloaded:
//! `/api/filter/v1/outbound.json`, `outbound/{label}.csv` and the like.
//!
//! Their shape is that of the lists which others publish for the same
//! purpose: a flat array, or one address a line.

use std::collections::BTreeSet;
use std::net::IpAddr;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Serialize;

use super::fault::Fault;
use super::wire::json;
use crate::config::Outbound;
use crate::control::Control;
use crate::feed;

#[derive(Serialize)]
struct OutboundOut<'a> {
    label: &'a str,
    addresses: &'a [IpAddr],
}

/// The form of a file.
#[derive(Clone, Copy)]
enum Form {
    Json,
    Csv,
}

pub(super) fn router() -> Router<Control> {
    Router::new()
        .route("/outbound", get(labels))
        .route("/outbound.json", get(async |State(control)| all(&control, Form::Json)))
        .route("/outbound.csv", get(async |State(control)| all(&control, Form::Csv)))
        .route("/outbound/{file}", get(one))
}

async fn labels(State(control): State<Control>) -> Response {
    json(&control.outbound().iter().map(OutboundOut::from).collect::<Vec<_>>())
}

fn all(control: &Control, form: Form) -> Response {
    let addresses = control.outbound().iter().flat_map(|outbound| &outbound.addresses);
    file(addresses.collect(), form)
}

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
