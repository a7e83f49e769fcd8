//! From a database URL to an open store.

use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use thiserror::Error;

use super::{Store, StoreError};

/// Which database: `mysql://user:password@host:port/name` or `sqlite:PATH`.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    MySql(String),
    Sqlite(PathBuf),
}

/// Text that is no database URL.
#[derive(Clone, Debug, Error)]
#[error("{0}")]
pub struct DatabaseUrlError(String);

impl FromStr for DatabaseUrl {
    type Err = DatabaseUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.starts_with("mysql://") {
            return Ok(Self::MySql(text.to_owned()));
        }
        match text.strip_prefix("sqlite:") {
            Some(path) if !path.is_empty() => Ok(Self::Sqlite(PathBuf::from(path))),
            _ => Err(DatabaseUrlError(format!("{text:?} is no database URL"))),
        }
    }
}

/// Opens the database, creating or upgrading its tables.
pub async fn open(url: &DatabaseUrl) -> Result<Arc<dyn Store>, StoreError> {
    match url {
        DatabaseUrl::MySql(_) | DatabaseUrl::Sqlite(_) => {
            Err(StoreError::Unreachable("not built yet".to_owned()))
        }
    }
}
