//! Why nothing was made of a picture, and how HTTP says so.

use axum::http::StatusCode;
use common::transfer::http::problem::Problem;
use common::transfer::inspect::Rejected;
use thiserror::Error;

use crate::picture::Fault;

/// When to come back if all places are taken, in seconds.
const RETRY_AFTER_S: u64 = 2;

/// Why nothing was made.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Trouble {
    #[error("{0}")]
    Fault(#[from] Fault),
    #[error("Too many pictures are waiting; try again in a moment.")]
    Busy,
    /// Nothing is known to be wrong with the picture.
    #[error("The work on the picture was ended from outside; try again in a moment.")]
    Ended,
    /// What exactly is in the log.
    #[error("The server could not start a process for the picture; try again in a moment.")]
    NoWorker,
    /// What exactly is in the log.
    #[error("The server could not read or write a file.")]
    System,
}

impl From<Trouble> for Problem {
    fn from(trouble: Trouble) -> Self {
        let detail = trouble.to_string();
        match trouble {
            Trouble::Busy | Trouble::Ended => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", detail).after(RETRY_AFTER_S)
            }
            Trouble::Fault(fault) => {
                let status = StatusCode::from_u16(fault.status());
                let status = status.unwrap_or(StatusCode::UNPROCESSABLE_ENTITY);
                Self::new(status, fault.code(), detail)
            }
            Trouble::NoWorker => {
                let status = StatusCode::SERVICE_UNAVAILABLE;
                Self::new(status, "storage_unavailable", detail).after(RETRY_AFTER_S)
            }
            Trouble::System => Self::internal(),
        }
    }
}

impl From<Trouble> for Rejected {
    fn from(trouble: Trouble) -> Self {
        let problem = Problem::from(trouble);
        Self {
            status: problem.status.as_u16(),
            code: problem.code,
            detail: problem.detail.into_owned(),
            retry_after: problem.retry_after,
        }
    }
}
