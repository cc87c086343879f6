//! Looking again and again whether something is to be done.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

/// Between two looks.
const LOOK: Duration = Duration::from_secs(2);

/// Has somebody look every two seconds, until the token is cancelled. Files may
/// lie on a slow disk: nobody else waits for it.
pub(super) async fn again_and_again<T: Send + 'static>(
    mut looker: T,
    look: fn(&mut T),
    shutdown: CancellationToken,
) {
    let pause = || tokio::time::sleep(LOOK);
    while shutdown.run_until_cancelled(pause()).await.is_some() {
        let looked = tokio::task::spawn_blocking(move || {
            look(&mut looker);
            looker
        });
        match looked.await {
            Ok(back) => looker = back,
            Err(error) => {
                return tracing::error!(%error, "certificates are not looked after any more");
            }
        }
    }
}
