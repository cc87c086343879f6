//! The OpenAPI document: made of the very routes that are served, and of what
//! holds for all of them.
//!
//! A copy of it is kept at `filter-daemon/dist/openapi.json`; a test compares
//! them.

use std::sync::OnceLock;

use axum::response::{IntoResponse, Response};
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    ContentBuilder, HeaderBuilder, InfoBuilder, License, ObjectBuilder, OpenApi, PathItem, Ref,
    RefOr, Required, Type,
};
use utoipa::{PartialSchema as _, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::fault::FaultBody;
use super::{closed_routes, open_routes};
use crate::control::Control;

/// The name of the way in which callers show who they are.
const BEARER: &str = "access_token";

/// What a request has that some refusals speak of.
struct Traits {
    is_closed: bool,
    is_login: bool,
    has_path_parameter: bool,
    has_parameter: bool,
    has_body: bool,
    is_change: bool,
}

/// The path by which the document is read.
pub(super) fn router() -> OpenApiRouter<Control> {
    OpenApiRouter::default().routes(routes!(show))
}

/// Shows this document.
#[utoipa::path(
    get, path = "/openapi.json",
    operation_id = "openapi", tag = "host",
    responses((status = 200, description = "An OpenAPI 3.1 document", body = serde_json::Value)),
)]
async fn show() -> Response {
    static TEXT: OnceLock<String> = OnceLock::new();
    let text = TEXT.get_or_init(text).as_str();
    ([("content-type", "application/json")], text).into_response()
}

/// The document, as a text for people too.
pub fn text() -> String {
    let mut text = document().to_pretty_json().expect("a document is always JSON");
    text.push('\n');
    text
}

fn document() -> OpenApi {
    let (_, mut closed) = closed_routes().split_for_parts();
    let (_, mut open) = open_routes().split_for_parts();
    for (document, is_closed) in [(&mut closed, true), (&mut open, false)] {
        for (path, item) in &mut document.paths.paths {
            operations(item).for_each(|operation| {
                complete(operation, &Traits::of(path, operation, is_closed));
            });
        }
    }
    closed.merge(open);
    closed.info = InfoBuilder::new()
        .title("filterd")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some("Access lists of the services of a Linux host: who gets in."))
        .license(Some(License::new("Apache-2.0")))
        .build();
    let components = closed.components.get_or_insert_default();
    components.schemas.insert("Error".to_owned(), FaultBody::schema());
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
    components.add_security_scheme(BEARER, SecurityScheme::Http(bearer));
    closed
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.post, &mut item.patch, &mut item.delete]
        .into_iter()
        .filter_map(Option::as_mut)
}

impl Traits {
    fn of(path: &str, operation: &Operation, is_closed: bool) -> Self {
        let parameters = operation.parameters.as_deref().unwrap_or_default();
        let has = |place: ParameterIn| {
            let is_there = |p: &Parameter| p.parameter_in == place;
            parameters.iter().any(|p| matches!(p, RefOr::T(p) if is_there(p)))
        };
        Self {
            is_closed,
            is_login: ["/login", "/session"].iter().any(|end| path.ends_with(end)),
            has_path_parameter: has(ParameterIn::Path),
            has_parameter: !parameters.is_empty(),
            has_body: operation.request_body.is_some(),
            is_change: has(ParameterIn::Header),
        }
    }

    /// The refusals that such a request may meet.
    fn refusals(&self) -> impl Iterator<Item = (u16, &'static str)> {
        let known = self.is_closed || self.is_login;
        [
            (self.has_parameter || self.has_body, 400, "Something sent is not as it must be"),
            (known, 401, "No token or key that is good"),
            (known, 403, "The caller's address is not on the key's access list"),
            (self.has_path_parameter, 404, "What the path names is not there"),
            (self.has_body, 408, "The body did not arrive in time"),
            (self.is_change, 409, "It contradicts what there is"),
            (self.is_change, 412, "The list has another version"),
            (self.has_body, 413, "The body is too large"),
            (self.is_login, 429, "Too many logins failed from the caller's address"),
            (true, 500, "The daemon cannot do it"),
            (self.is_change || self.is_login, 507, "The disk is full"),
        ]
        .into_iter()
        .filter_map(|(meets, status, why)| meets.then_some((status, why)))
    }
}

fn complete(operation: &mut Operation, traits: &Traits) {
    if traits.is_change {
        let succeeds = operation.responses.responses.iter_mut();
        for (_, response) in succeeds.filter(|(status, _)| status.starts_with('2')) {
            let RefOr::T(response) = response else { continue };
            let words = ObjectBuilder::new().schema_type(Type::String);
            let applied = HeaderBuilder::new()
                .schema(Some(words.enum_values(Some(["yes", "no"]))))
                .description(Some("Whether it is in force; `Warning` says why not"));
            response.headers.insert("Filterd-Applied".to_owned(), applied.build().into());
        }
    }
    for (status, why) in traits.refusals() {
        let body = ContentBuilder::new().schema(Some(Ref::from_schema_name("Error"))).build();
        let response = ResponseBuilder::new().description(why).content("application/json", body);
        operation.responses.responses.insert(status.to_string(), response.build().into());
    }
    let requirement = SecurityRequirement::new::<_, [&str; 0], &str>(BEARER, []);
    operation.security = Some(if traits.is_closed { vec![requirement] } else { Vec::new() });
}

/// A part of a path.
pub(super) fn path_parameter<T: ToSchema>(name: &str, description: &str) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .description(Some(description))
        .schema(Some(T::schema()))
        .build()
}

/// A header that may be left out.
pub(super) fn header_parameter(name: &str, description: &str, example: &str) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(description))
        .schema(Some(String::schema()))
        .example(Some(example.into()))
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEPT: &str = include_str!("../../dist/openapi.json");

    #[test]
    fn the_kept_document_is_what_the_routes_make() {
        let hint =
            "run `cargo run -p filter-daemon --example openapi > filter-daemon/dist/openapi.json`";
        assert!(KEPT == text(), "dist/openapi.json is not what the routes make: {hint}");
    }

    #[test]
    fn operations_have_names_of_their_own() {
        let mut document = document();
        let items = document.paths.paths.values_mut();
        let mut names: Vec<_> =
            items.flat_map(operations).map(|o| o.operation_id.clone().expect("a name")).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
