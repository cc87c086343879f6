//! TLS without a proxy: the upstream's own answers, made by a thread on the CPU
//! where the proxies run.

use std::net::TcpListener;
use std::sync::Arc;
use std::thread::JoinHandle;

use anyhow::Result;
use filter_tests::measure::cpu;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::runtime;
use tokio::task::LocalSet;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::stage::{HOST, PORT, Stage};
use crate::upstream;

const HTTP2: &[u8] = b"h2";

/// Serves until it is dropped.
pub(super) struct Alone {
    stop: Option<DropGuard>,
    thread: Option<JoinHandle<Result<()>>>,
}

impl Alone {
    pub(super) fn start(stage: &Stage) -> Result<Self> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_no_client_auth()
            .with_single_cert(
                vec![CertificateDer::from_pem_file(stage.certificate())?],
                PrivateKeyDer::from_pem_file(stage.key())?,
            )?;
        config.alpn_protocols = vec![HTTP2.to_vec(), b"http/1.1".to_vec()];
        // The socket is one of the caller's namespace, wherever it is used.
        let listener = TcpListener::bind((HOST, PORT))?;
        let stop = CancellationToken::new();
        let guard = stop.clone().drop_guard();
        let thread = std::thread::spawn(move || {
            cpu::stay_on(cpu::MEASURED);
            let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
            let serving = serve(listener, TlsAcceptor::from(Arc::new(config)));
            let local = LocalSet::new();
            runtime.block_on(local.run_until(stop.run_until_cancelled(serving))).unwrap_or(Ok(()))
        });
        Ok(Self { stop: Some(guard), thread: Some(thread) })
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(Err(panic)) = self.thread.take().map(JoinHandle::join) {
            std::panic::resume_unwind(panic);
        }
    }
}

async fn serve(listener: TcpListener, acceptor: TlsAcceptor) -> Result<()> {
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let accepting = acceptor.accept(stream);
        tokio::task::spawn_local(async move {
            match accepting.await {
                Ok(stream) if stream.get_ref().1.alpn_protocol() == Some(HTTP2) => {
                    upstream::converse_http2(stream).await;
                }
                Ok(stream) => upstream::converse(stream).await,
                // The load says what went wrong.
                Err(_) => {}
            }
        });
    }
}
