//! From a database URL to an open store.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use thiserror::Error;

use super::mysql::MySqlStore;
use super::sqlite::SqliteStore;
use super::{Store, StoreError};

/// Which database: `mysql://user:password@host:port/name` or `sqlite:PATH`.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    MySql(String),
    Sqlite(PathBuf),
}

/// How to open a database.
#[derive(Clone, Debug, Default)]
pub struct OpenOptions {
    /// Go on with a database that may lose acknowledged messages in a power cut.
    pub accept_weak_durability: bool,
}

/// Text that is no database URL.
#[derive(Clone, Debug, Error)]
#[error(
    "{given:?} is no database URL ({why}); \
     expected mysql://user:password@host:port/name or sqlite:PATH"
)]
pub struct DatabaseUrlError {
    given: String,
    why: &'static str,
}

impl FromStr for DatabaseUrl {
    type Err = DatabaseUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = |why| DatabaseUrlError {
            given: without_password(text),
            why,
        };
        if let Some(rest) = text.strip_prefix("mysql://") {
            let place = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
            return match place.split_once('/') {
                Some((host, name)) if !host.is_empty() && !name.is_empty() => {
                    Ok(Self::MySql(text.to_owned()))
                }
                _ => Err(wrong("host or database name is missing")),
            };
        }
        let path = text
            .strip_prefix("sqlite://")
            .or_else(|| text.strip_prefix("sqlite:"))
            .ok_or_else(|| wrong("unknown kind of database"))?;
        match path {
            "" => Err(wrong("the path is missing")),
            ":memory:" => Err(wrong("messages must survive the program: name a file")),
            path => Ok(Self::Sqlite(PathBuf::from(path))),
        }
    }
}

/// The URL as it may be shown: a password becomes `***`. Everything up to the last `@` counts as
/// name and password, so that an unescaped character in a password does not uncover its rest.
fn without_password(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else {
        return text.to_owned();
    };
    match rest.rsplit_once('@') {
        Some((user, place)) => match user.split_once(':') {
            Some((name, _)) => format!("{scheme}://{name}:***@{place}"),
            None => text.to_owned(),
        },
        None => text.to_owned(),
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MySql(url) => f.write_str(&without_password(url)),
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({self})")
    }
}

/// Opens the database, creating or upgrading its tables.
pub async fn open(url: &DatabaseUrl, options: &OpenOptions) -> Result<Arc<dyn Store>, StoreError> {
    match url {
        DatabaseUrl::MySql(url) => Ok(Arc::new(MySqlStore::open(url, options).await?)),
        DatabaseUrl::Sqlite(path) => Ok(Arc::new(SqliteStore::open(path, options).await?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_accepted_forms() {
        let sqlite = |path: &str| Some(DatabaseUrl::Sqlite(PathBuf::from(path)));
        let read = |text: &str| text.parse::<DatabaseUrl>().ok();
        assert_eq!(read("sqlite:data/im.db"), sqlite("data/im.db"));
        assert_eq!(read("sqlite:/var/im.db"), sqlite("/var/im.db"));
        assert_eq!(read("sqlite:///var/im.db"), sqlite("/var/im.db"));
        assert_eq!(read("sqlite://im.db"), sqlite("im.db"));
        let mysql = "mysql://root@127.0.0.1:3306/myim";
        assert_eq!(read(mysql), Some(DatabaseUrl::MySql(mysql.to_owned())));
        let tls = "mysql://root@db/myim?ssl_ca=/etc/ca.pem";
        assert_eq!(read(tls), Some(DatabaseUrl::MySql(tls.to_owned())));
        for wrong in ["", "im.db", "sqlite:", "sqlite://", "sqlite::memory:"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
        for wrong in ["mysql://", "mysql://root@/myim", "mysql://root@host/"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn an_error_says_what_is_expected() {
        let error = "im.db".parse::<DatabaseUrl>().unwrap_err().to_string();
        assert!(error.contains("im.db"), "{error}");
        assert!(error.contains("mysql://user:password@host:port/name"));
        assert!(error.contains("sqlite:PATH"));
    }

    #[test]
    fn a_password_is_never_shown() {
        let url = "mysql://root:s@c/re:t@db:3306/myim";
        let shown = url.parse::<DatabaseUrl>().unwrap();
        assert_eq!(shown.to_string(), "mysql://root:***@db:3306/myim");
        assert!(!format!("{shown:?}").contains("re:t"));
        let error = "mysq://root:secret@db/myim".parse::<DatabaseUrl>();
        assert!(!error.unwrap_err().to_string().contains("secret"));
        let plain = "mysql://root@db:3306/myim".parse::<DatabaseUrl>().unwrap();
        assert_eq!(plain.to_string(), "mysql://root@db:3306/myim");
    }
}
