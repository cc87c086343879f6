//! The pages that call the app: one text, whatever the origin it is asked for
//! under. A page tells its own server what became of its calls.

use std::sync::mpsc::{self, Receiver};

use axum::Json;
use axum::Router;
use axum::http::StatusCode;
use axum::response::Html;
use axum::routing::{get, post};
use serde_json::Value;

use super::server;
use crate::stage::{NAME, PORT};

/// Where the names of pages end. A page of another site than the app's has
/// nothing in common with it.
pub(crate) const DOMAIN: &str = "test";

const PAGE: &str = include_str!("page.html");

/// Runs until the process ends.
pub(crate) struct Pages {
    port: u16,
    outcomes: Receiver<Value>,
}

impl Pages {
    /// Starts in the namespace of the thread.
    pub(crate) fn start() -> Self {
        let (sender, outcomes) = mpsc::channel();
        let note = async move |Json(outcome): Json<Value>| {
            let _ = sender.send(outcome);
            StatusCode::NO_CONTENT
        };
        let router =
            Router::new().route("/", get(async || Html(PAGE))).route("/outcome", post(note));
        Self { port: server::start(router), outcomes }
    }

    /// The origin of the pages under a name.
    pub(crate) fn origin(&self, name: &str) -> String {
        format!("http://{name}:{}", self.port)
    }

    /// The address of the page of an origin.
    pub(crate) fn page(&self, origin: &str) -> String {
        format!("{origin}/?app={NAME}:{PORT}")
    }

    /// What a page told last, once.
    pub(crate) fn outcome(&self) -> Option<Value> {
        self.outcomes.try_recv().ok()
    }
}
