//! Says at the start what keeps a picture from taking over more than the process that decodes it.

use common::process::Exit;
use tracing::{error, info, warn};

use crate::picture_pool::PicturePool;
use crate::worker::Confinement;

/// Tries it with one worker, where there has to be one that is confined.
///
/// # Errors
/// When there is none: then there is no server.
pub(crate) async fn demand(pool: &PicturePool) -> Result<(), Exit> {
    match pool.confinement().await {
        Ok(_) => Ok(()),
        Err(error) => Err(Exit::config(format!(
            "no process can decode pictures as --require-picture-sandbox demands: {error}; \
             start where it can be confined, or without this setting"
        ))),
    }
}

/// Tries it with one worker, and says what came of it.
pub(crate) async fn tell(pool: &PicturePool) {
    match pool.confinement().await {
        Ok(Confinement { calls: true, files }) => info!(
            landlock = files,
            "pictures are decoded in processes that can do nothing else (seccomp)"
        ),
        Ok(Confinement {
            calls: false,
            files: true,
        }) => warn!(
            "this system has no seccomp: pictures are decoded in processes of their own, within \
             limits of memory and time, and only Landlock keeps these from files and the network"
        ),
        Ok(Confinement {
            calls: false,
            files: false,
        }) => warn!(
            "this system has neither seccomp nor Landlock: pictures are decoded in processes of \
             their own, within limits of memory and time, that may do all that the server's user may"
        ),
        Err(error) => error!(
            %error,
            "no process can be started that decodes pictures; they are refused until there is one"
        ),
    }
}
