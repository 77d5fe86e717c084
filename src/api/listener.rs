//! The listener: a bounded number of connections, each with bounded headers, streams and life.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore};

use super::app::{Peer, Stands};
use crate::limits::{
    CONNECTION_OVER_SECONDS, CONNECTION_SECONDS_MAX, CONNECTIONS_MAX, DRAIN_SECONDS_MAX,
    HEADER_BYTES_MAX, HEADER_SECONDS_MAX, STREAMS_PER_CONNECTION_MAX,
};
use crate::roster::Caller;

/// Serves until `stop` resolves, then lets requests at work end within `DRAIN_SECONDS_MAX`.
///
/// `accept` ends a handshake, and says what the caller's certificate names and whether it stands;
/// `None` drops the connection.
pub async fn serve<A, F, S>(
    listener: TcpListener,
    accept: A,
    router: Router,
    stop: impl Future<Output = ()>,
) where
    A: Fn(TcpStream) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Option<(S, Option<Caller>, Stands)>> + Send,
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let http = Arc::new(http());
    let graceful = GracefulShutdown::new();
    let permits = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    tokio::pin!(stop);
    loop {
        // A connection over the number waits in the kernel's own queue until one ends.
        let permit = tokio::select! {
            permit = permits.clone().acquire_owned() => {
                permit.expect("nobody closes the semaphore")
            }
            () = &mut stop => break,
        };
        let tcp = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((tcp, _)) => tcp,
                Err(e) => {
                    // Out of descriptors, mostly: give those at work a moment to end.
                    log::error!("a connection was not accepted: {e}");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
            () = &mut stop => break,
        };
        let (accept, http, router, watcher) =
            (accept.clone(), http.clone(), router.clone(), graceful.watcher());
        tokio::spawn(async move {
            let _permit = permit;
            let Some((stream, caller, stands)) = accept(tcp).await else { return };
            let over = Arc::new(Notify::new());
            let peer = Peer { caller, stands, over: over.clone() };
            let service = TowerToHyperService::new(router.layer(axum::Extension(peer)));
            let connection = http.serve_connection(TokioIo::new(stream), service).into_owned();
            let live = tokio::time::timeout(
                Duration::from_secs(CONNECTION_SECONDS_MAX),
                watcher.watch(connection),
            );
            tokio::select! {
                ended = live => if let Ok(Err(e)) = ended {
                    log::debug!("a connection broke: {e}");
                },
                () = ended_soon(&over) => {}
            }
        });
    }
    drop(listener);
    if tokio::time::timeout(Duration::from_secs(DRAIN_SECONDS_MAX), graceful.shutdown())
        .await
        .is_err()
    {
        log::warn!("requests were still at work after {DRAIN_SECONDS_MAX} s and were cut off");
    }
}

/// A connection whose certificate stands no more has a moment for the answer that says so.
async fn ended_soon(over: &Notify) {
    over.notified().await;
    tokio::time::sleep(Duration::from_secs(CONNECTION_OVER_SECONDS)).await;
}

fn http() -> Builder<TokioExecutor> {
    let mut http = Builder::new(TokioExecutor::new());
    http.http1()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(HEADER_SECONDS_MAX))
        .max_buf_size(HEADER_BYTES_MAX);
    let header_bytes = u32::try_from(HEADER_BYTES_MAX).expect("16 KiB fit");
    http.http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_PER_CONNECTION_MAX)
        .max_header_list_size(header_bytes)
        .keep_alive_interval(Duration::from_secs(HEADER_SECONDS_MAX));
    http
}
