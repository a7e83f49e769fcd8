//! Where a server is, and how its certificate is checked.

use std::fmt;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use common::wire::command::{CHAT_PORT, FILE_PORT, IMAGE_PORT};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use thiserror::Error;
use url::Url;

use crate::net::dial::Dial;

/// A server's address: `http://HOST[:PORT]` or, with TLS, `https://HOST[:PORT]`. The port is 20000
/// if none is given, also with TLS; without a scheme it is `http` for this machine and `https` for
/// all others.
///
/// ```
/// let server: client::Server = "https://chat.example".parse()?;
/// assert_eq!(server.to_string(), "https://chat.example:20000");
/// let server: client::Server = "localhost".parse()?;
/// assert_eq!(server.to_string(), "http://localhost:20000");
/// # Ok::<(), client::ServerError>(())
/// ```
#[derive(Clone)]
pub struct Server {
    pub(crate) host: Arc<str>,
    pub(crate) port: u16,
    pub(crate) tls: bool,
    /// What the certificate may be signed by, besides what the system trusts.
    pub(crate) authorities: Arc<[CertificateDer<'static>]>,
    /// What was chosen by hand.
    file_port: Option<u16>,
    image_port: Option<u16>,
    /// How it is reached, if not over TCP from here.
    pub(crate) dial: Option<Arc<dyn Dial>>,
}

/// Why an address is none.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ServerError {
    #[error(
        "\"{0}\" is no address of a server: write it like https://chat.example or http://localhost:20000"
    )]
    Address(String),
    #[error("{path}: {problem}")]
    Authority { path: String, problem: String },
}

impl Server {
    /// Trusts the certificates in this PEM file too: that of a server with `--tls-self-signed`, or
    /// of the organization's own authority.
    ///
    /// # Errors
    /// If the file cannot be read, or holds no certificate.
    pub fn trusting(mut self, pem: &Path) -> Result<Self, ServerError> {
        let failed = |problem: String| ServerError::Authority {
            path: pem.display().to_string(),
            problem,
        };
        let certificates = CertificateDer::pem_file_iter(pem)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| failed(error.to_string()))?;
        if certificates.is_empty() {
            return Err(failed("there is no certificate in it".to_owned()));
        }
        self.authorities = self
            .authorities
            .iter()
            .cloned()
            .chain(certificates)
            .collect();
        Ok(self)
    }

    /// The ports of files and pictures, where they are not those that the server tells: behind a
    /// tunnel, for example.
    #[must_use]
    pub fn with_transfer_ports(self, file: Option<u16>, image: Option<u16>) -> Self {
        Self {
            file_port: file,
            image_port: image,
            ..self
        }
    }

    /// Reached in this way, also its file and image servers, and what it says is elsewhere.
    #[must_use]
    pub fn through(self, dial: impl Dial + 'static) -> Self {
        Self {
            dial: Some(Arc::new(dial)),
            ..self
        }
    }

    /// The file server that belongs to this one: reached like it, on its own port.
    #[must_use]
    pub fn file_server(&self) -> Self {
        self.at_port(self.file_port.unwrap_or(FILE_PORT))
    }

    /// The image server that belongs to this one.
    #[must_use]
    pub(crate) fn image_server(&self) -> Self {
        self.at_port(self.image_port.unwrap_or(IMAGE_PORT))
    }

    /// The name or address without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// The port that was chosen by hand for files, or for pictures.
    pub(crate) fn chosen_port(&self, pictures: bool) -> Option<u16> {
        if pictures {
            self.image_port
        } else {
            self.file_port
        }
    }

    /// The server at an address that this one told. The same authorities are trusted.
    pub(crate) fn elsewhere(&self, url: &Url) -> Option<Self> {
        let tls = match url.scheme() {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let host = url.host_str().filter(|host| !host.is_empty())?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        Some(Self {
            host: host.into(),
            port: url.port_or_known_default()?,
            tls,
            ..self.clone()
        })
    }

    fn at_port(&self, port: u16) -> Self {
        Self {
            port,
            ..self.clone()
        }
    }

    /// The same server reached without TLS, as one writes it.
    pub(crate) fn unencrypted(&self) -> Self {
        Self {
            tls: false,
            ..self.clone()
        }
    }

    fn authority(&self, port: u16) -> String {
        if self.host.contains(':') {
            format!("[{}]:{port}", self.host)
        } else {
            format!("{}:{port}", self.host)
        }
    }
}

impl FromStr for Server {
    type Err = ServerError;

    fn from_str(text: &str) -> Result<Self, ServerError> {
        let wrong = || ServerError::Address(text.to_owned());
        let given = text.contains("://");
        let url = if given {
            Url::parse(text)
        } else {
            Url::parse(&format!("http://{text}"))
        };
        let url = url.map_err(|_| wrong())?;
        let plain = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        if !plain || !url.username().is_empty() || url.password().is_some() {
            return Err(wrong());
        }
        let host = url
            .host_str()
            .filter(|host| !host.is_empty())
            .ok_or_else(wrong)?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let tls = match url.scheme() {
            "https" => true,
            "http" if given => false,
            "http" => !is_this_machine(host),
            _ => return Err(wrong()),
        };
        // `Url` leaves out the scheme's own port, which is not ours.
        let said = |port: &str| text.trim_end_matches('/').ends_with(port);
        let port = match url.port() {
            Some(port) => port,
            None if tls && said(":443") => 443,
            None if !tls && said(":80") => 80,
            None => CHAT_PORT,
        };
        Ok(Self {
            host: host.into(),
            port,
            tls,
            authorities: Arc::default(),
            file_port: None,
            image_port: None,
            dial: None,
        })
    }
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost"
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "https" } else { "http" };
        write!(f, "{scheme}://{}", self.authority(self.port))
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Server({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_as_people_write_it() {
        for (text, read) in [
            ("localhost", "http://localhost:20000"),
            ("127.0.0.1:21000", "http://127.0.0.1:21000"),
            ("[::1]:21000", "http://[::1]:21000"),
            ("chat.example", "https://chat.example:20000"),
            ("http://chat.example", "http://chat.example:20000"),
            ("http://chat.example:80", "http://chat.example:80"),
            ("https://chat.example:443/", "https://chat.example:443"),
        ] {
            assert_eq!(text.parse::<Server>().unwrap().to_string(), read, "{text}");
        }
        for wrong in [
            "",
            "ftp://chat.example",
            "https://",
            "http://a/b",
            "http://ann:x@a",
            "a b",
        ] {
            assert!(wrong.parse::<Server>().is_err(), "{wrong}");
        }
    }
}
