//! Serves what a router says, on a thread and a port of its own, until the
//! process ends.

use std::net::{Ipv4Addr, TcpListener};

use axum::Router;

/// Starts in the namespace of the thread; answers the port.
pub(crate) fn start(router: Router) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    listener.set_nonblocking(true).expect("a socket can be told not to wait");
    let port = listener.local_addr().expect("bound").port();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime can be made");
    std::thread::spawn(move || {
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).expect("it is there");
            axum::serve(listener, router).await.expect("it serves for ever");
        });
    });
    port
}
