//! `serve`.

use std::net::SocketAddr;

use axum::serve::ListenerExt;
use tesela_api::{AppState, ServeConfig};
use tesela_compute::Cube;
use tesela_store::{Kept, keep_freed_memory};

use crate::args::ServeArgs;
use crate::failure::Failure;
use crate::output::Output;

/// Serves until SIGINT or SIGTERM.
pub fn run(cube: &Cube, args: &ServeArgs, output: &Output) -> Result<(), Failure> {
    let mut config = ServeConfig { base_url: args.base_url.clone(), ..ServeConfig::default() };
    if let Some(n) = args.workers {
        config.concurrent_work = n.max(1);
    }
    serve(cube.clone(), config, args.bind, output)
}

/// Serves a cube; prints the address once it listens.
pub fn serve(cube: Cube, config: ServeConfig, bind: SocketAddr, output: &Output) -> Result<(), Failure> {
    keep_freed_memory(Kept::Pictures);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|e| Failure::Message(format!("cannot start the server's threads: {e}")))?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(bind).await.map_err(|e| {
            Failure::Message(format!("cannot listen on {bind}: {e}; choose another with --bind"))
        })?;
        let address = listener.local_addr().map_err(|e| Failure::Message(e.to_string()))?;
        if output.is_json() {
            output.print(&serde_json::json!({"listening": format!("http://{address}/")}).to_string());
        } else {
            output.print(&format!("listening on http://{address}/"));
        }
        let app = tesela_api::router(AppState::new(cube, config));
        // Without it a small answer waits for the client's delayed acknowledgement.
        let listener = listener.tap_io(|stream| {
            let _ = stream.set_nodelay(true);
        });
        axum::serve(listener, app)
            .with_graceful_shutdown(stopped())
            .await
            .map_err(|e| Failure::Message(format!("the server stopped: {e}")))
    })
}

async fn stopped() {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).ok();
    let term = async {
        match terminate.as_mut() {
            Some(t) => {
                t.recv().await;
            }
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = term => {}
    }
}
