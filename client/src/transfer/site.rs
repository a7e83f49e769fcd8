//! Knows where files and pictures go to and come from.

use serde::Deserialize;
use url::Url;

use super::Shelf;
use super::line::Line;
use crate::api::Api;
use crate::error::{Error, Result};
use crate::server::Server;

/// Where the files of a shelf are put.
pub(super) struct Site {
    pub(super) line: Line,
    /// The path of the collection, for example `/files`.
    pub(super) collection: String,
    /// The whole address, to tell sites apart.
    pub(super) address: String,
}

/// What the server tells of its transfer servers.
#[derive(Debug, Default, Deserialize)]
struct Told {
    #[serde(default)]
    file_url: Option<String>,
    #[serde(default)]
    image_url: Option<String>,
}

fn collection(shelf: Shelf) -> &'static str {
    match shelf {
        Shelf::Files => "/files",
        Shelf::Pictures => "/images",
    }
}

/// An address that whoever has it may fetch.
pub(super) struct Signed {
    pub(super) line: Line,
    /// With the query.
    pub(super) path: String,
    pub(super) is_picture: bool,
}

impl Api {
    /// Where uploads go: to the port that was chosen by hand, to where the server tells, or to the
    /// usual port of a server that tells nothing.
    pub(super) async fn site(&self, shelf: Shelf) -> Result<Site> {
        let is_chosen = self.server().chosen_port(shelf == Shelf::Pictures);
        if is_chosen.is_some() {
            return self.usual_site(shelf);
        }
        let told: Told = match self.get("/server").await {
            Ok(told) => told,
            Err(Error::Refused(problem)) if problem.status == 404 => Told::default(),
            Err(error) => return Err(error),
        };
        let url = match shelf {
            Shelf::Files => told.file_url,
            Shelf::Pictures => told.image_url,
        };
        match url {
            Some(url) => self.site_at(&url, shelf),
            None => self.usual_site(shelf),
        }
    }

    fn usual_site(&self, shelf: Shelf) -> Result<Site> {
        self.site_of(self.usual_server(shelf), collection(shelf).to_owned())
    }

    fn usual_server(&self, shelf: Shelf) -> Server {
        match shelf {
            Shelf::Files => self.server().file_server(),
            Shelf::Pictures => self.server().image_server(),
        }
    }

    fn site_at(&self, url: &str, shelf: Shelf) -> Result<Site> {
        let url = Url::parse(url).map_err(|_| self.tells_nonsense())?;
        let server = self.server().elsewhere(&url);
        let server = server.ok_or_else(|| self.tells_nonsense())?;
        as_safe(self.server(), &server)?;
        let below = url.path().trim_end_matches('/');
        self.site_of(server, format!("{below}{}", collection(shelf)))
    }

    fn site_of(&self, server: Server, collection: String) -> Result<Site> {
        Ok(Site {
            address: format!("{server}{collection}"),
            line: Line::new(server, self.token.as_deref())?,
            collection,
        })
    }

    fn tells_nonsense(&self) -> Error {
        Error::Protocol {
            server: self.server().to_string(),
            detail: "it tells an address that is none".to_owned(),
        }
    }

    /// Where a signed address leads to. A port that was chosen by hand goes before what the server
    /// tells. No token goes there: the address is enough.
    pub(super) fn signed(&self, url: &str) -> Result<Signed> {
        let url = Url::parse(url).map_err(|_| self.tells_nonsense())?;
        let is_picture = is_picture(&url);
        let shelf = if is_picture {
            Shelf::Pictures
        } else {
            Shelf::Files
        };
        let query = url.query().map(|query| format!("?{query}"));
        let query = query.unwrap_or_default();
        if self.server().chosen_port(is_picture).is_some() {
            let name = url.path().rsplit('/').next().unwrap_or_default();
            let path = format!("{}/{name}{query}", collection(shelf));
            return Ok(Signed {
                line: Line::new(self.usual_server(shelf), None)?,
                path,
                is_picture,
            });
        }
        let server = self.server().elsewhere(&url);
        let server = server.ok_or_else(|| self.tells_nonsense())?;
        as_safe(self.server(), &server)?;
        let path = format!("{}{query}", url.path());
        Ok(Signed {
            line: Line::new(server, None)?,
            path,
            is_picture,
        })
    }
}

/// Whether an address of a file leads to a picture.
fn is_picture(url: &Url) -> bool {
    let mut parts = url.path().rsplit('/');
    parts.nth(1) == Some("images")
}

/// Who reaches the server with TLS sends nothing without it.
fn as_safe(server: &Server, other: &Server) -> Result<()> {
    if server.tls && !other.tls {
        return Err(Error::Protocol {
            server: server.to_string(),
            detail: format!(
                "it tells that files are at {other}, without TLS; its operator has to set file_url \
                 and image_url"
            ),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn api(server: &str, ports: (Option<u16>, Option<u16>)) -> Api {
        let server: Server = server.parse().unwrap();
        Api::new(server.with_transfer_ports(ports.0, ports.1))
    }

    fn leads_to(api: &Api, url: &str) -> String {
        let Signed { line, path, .. } = api.signed(url).unwrap();
        let request = line.request(http::Method::GET, &path);
        request.uri_ref().unwrap().to_string()
    }

    #[test]
    fn a_signed_address_is_followed() {
        let api = api("http://chat.example", (None, Some(7)));
        let files = "https://files.example/x/files/ab?exp=1&sig=a";
        assert_eq!(
            leads_to(&api, files),
            "https://files.example:443/x/files/ab?exp=1&sig=a"
        );
        // A port that was chosen by hand goes before.
        let images = "https://files.example/x/images/ab?exp=1";
        assert_eq!(
            leads_to(&api, images),
            "http://chat.example:7/images/ab?exp=1"
        );
    }

    #[test]
    fn nothing_goes_without_tls_where_there_was_some() {
        let safe = api("https://chat.example", (None, None));
        assert!(safe.signed("http://files.example/files/ab?sig=a").is_err());
        assert!(safe.signed("https://files.example/files/ab?sig=a").is_ok());
        assert!(safe.signed("file:///files/ab").is_err());
    }

    #[test]
    fn uploads_go_where_the_server_tells_or_to_its_usual_ports() {
        let api = api("https://chat.example:443", (None, Some(7)));
        let usual = |shelf| api.usual_site(shelf).unwrap().address;
        assert_eq!(usual(Shelf::Files), "https://chat.example:20001/files");
        assert_eq!(usual(Shelf::Pictures), "https://chat.example:7/images");
        let told = |url| api.site_at(url, Shelf::Files).map(|site| site.address);
        assert_eq!(
            told("https://files.example/below/").unwrap(),
            "https://files.example:443/below/files"
        );
        // The token does not go without TLS where there was some.
        assert!(told("http://files.example").is_err());
        assert!(told("nowhere").is_err());
    }
}
