//! The app behind the proxy: it lets the pages of every origin call it, says
//! back what it was sent, and notes what it was asked for whom.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::ws::{WebSocket, WebSocketUpgrade};
use axum::extract::{Request, State};
use axum::http::{Method, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::any;

use super::server;

type Notes = Arc<Mutex<Vec<String>>>;

/// Runs until the process ends.
pub(crate) struct Service {
    pub(crate) port: u16,
    asked: Notes,
}

impl Service {
    /// Starts in the namespace of the thread.
    pub(crate) fn start() -> Self {
        let asked = Notes::default();
        let router = Router::new()
            .route("/data", any(data))
            .route("/echo", any(echo))
            .layer(from_fn_with_state(Arc::clone(&asked), note));
        Self { port: server::start(router), asked }
    }

    /// What it was asked since this was called last.
    pub(crate) fn take_asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().expect("not poisoned"))
    }
}

async fn note(State(notes): State<Notes>, request: Request, next: Next) -> Response {
    let origin = request.headers().get(header::ORIGIN);
    let origin =
        origin.map_or("nobody".into(), |origin| String::from_utf8_lossy(origin.as_bytes()));
    let line = format!("{} {} for {origin}", request.method(), request.uri().path());
    notes.lock().expect("not poisoned").push(line);
    next.run(request).await
}

async fn data(method: Method, body: String) -> impl IntoResponse {
    let permissions = [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::ACCESS_CONTROL_ALLOW_METHODS, "PUT"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "content-type, x-page"),
    ];
    (permissions, format!("{method}: {body}"))
}

async fn echo(upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(async |mut socket: WebSocket| {
        while let Some(Ok(message)) = socket.recv().await {
            if socket.send(message).await.is_err() {
                break;
            }
        }
    })
}
