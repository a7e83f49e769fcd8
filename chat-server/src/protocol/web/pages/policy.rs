//! What browsers let the page do: run the scripts of this server and talk to our servers, and
//! nothing else.

use std::fmt::Write as _;

use axum::http::header::CONTENT_SECURITY_POLICY;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Uri};
use common::api::BlobClass;
use common::config::FilesConfig;
use common::http::asked;

use crate::protocol::web::file_servers;

const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");

/// Adds what the page may do to an answer. `asked` and `uri` are the request's.
pub(super) fn add(headers: &mut HeaderMap, files: &FilesConfig, asked: &HeaderMap, uri: &Uri) {
    let sources = Sources::of(files, asked, uri);
    if let Ok(policy) = HeaderValue::try_from(sources.policy()) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    headers.insert(OPENER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(
        PERMISSIONS_POLICY,
        HeaderValue::from_static("camera=(), geolocation=(), microphone=(self)"),
    );
}

/// Where the page may fetch from besides this server, each with a space in front.
#[derive(Debug, Default)]
struct Sources {
    /// This server's WebSocket. Not every browser counts it as `'self'`.
    sockets: String,
    /// The file and the image server.
    files: String,
}

impl Sources {
    fn of(files: &FilesConfig, headers: &HeaderMap, uri: &Uri) -> Self {
        let mut sources = Self::default();
        // A policy cannot name an address of IPv6.
        let is_nameable = |host: &&str| !host.starts_with('[');
        if let Some(place) = asked::place(headers, uri).filter(is_nameable) {
            // A String takes everything that is written to it.
            let _ = write!(sources.sockets, " ws://{place} wss://{place}");
        }
        let host = asked::host(headers, uri);
        for class in [BlobClass::File, BlobClass::Image] {
            match file_servers::said(files, class) {
                Some(said) => sources.add(&file_servers::origin(said)),
                None => {
                    let port = file_servers::port(files, class);
                    match host.filter(is_nameable) {
                        Some(host) => {
                            sources.add(&format!("http://{host}:{port}"));
                            sources.add(&format!("https://{host}:{port}"));
                        }
                        None => {
                            sources.add("http:");
                            sources.add("https:");
                        }
                    }
                }
            }
        }
        sources
    }

    fn add(&mut self, source: &str) {
        if !self.files.split(' ').any(|known| known == source) {
            self.files.push(' ');
            self.files.push_str(source);
        }
    }

    fn policy(&self) -> String {
        let Self { sockets, files } = self;
        format!(
            "default-src 'none'; script-src 'self'; style-src 'self'; \
             img-src 'self' blob: data:{files}; media-src 'self' blob:{files}; \
             connect-src 'self'{sockets}{files}; font-src 'self'; manifest-src 'self'; \
             worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
             require-trusted-types-for 'script'; trusted-types lit-html myim"
        )
    }
}

#[cfg(test)]
mod tests {
    use axum::http::header::HOST;
    use common::config::FilePorts;

    use super::*;

    fn policy(files: &FilesConfig, host: &'static str) -> String {
        let mut asked = HeaderMap::new();
        asked.insert(HOST, HeaderValue::from_static(host));
        let mut headers = HeaderMap::new();
        add(&mut headers, files, &asked, &Uri::from_static("/"));
        headers[CONTENT_SECURITY_POLICY]
            .to_str()
            .unwrap()
            .to_owned()
    }

    fn part<'p>(policy: &'p str, name: &str) -> Vec<&'p str> {
        let mut parts = policy
            .split("; ")
            .map(|part| part.split(' ').collect::<Vec<_>>());
        let mut part = parts.find(|part| part[0] == name).unwrap();
        part.remove(0);
        part
    }

    #[test]
    fn the_page_may_reach_the_servers_at_their_ports_of_the_host_that_was_asked() {
        let ports = FilePorts {
            file: 21,
            image: 22,
        };
        let files = FilesConfig {
            ports,
            ..FilesConfig::default()
        };
        let policy = policy(&files, "chat.example:20000");
        let servers = [
            "http://chat.example:21",
            "https://chat.example:21",
            "http://chat.example:22",
            "https://chat.example:22",
        ];
        let own = [
            "'self'",
            "ws://chat.example:20000",
            "wss://chat.example:20000",
        ];
        assert_eq!(part(&policy, "connect-src"), [&own[..], &servers].concat());
        let pictures = ["'self'", "blob:", "data:"];
        assert_eq!(part(&policy, "img-src"), [&pictures[..], &servers].concat());
        assert_eq!(
            part(&policy, "media-src"),
            [&pictures[..2], &servers].concat()
        );
        assert_eq!(part(&policy, "default-src"), ["'none'"]);
        assert_eq!(part(&policy, "script-src"), ["'self'"]);
        assert_eq!(part(&policy, "trusted-types"), ["lit-html", "myim"]);
    }

    #[test]
    fn the_page_may_reach_the_servers_where_the_operator_says() {
        let files = FilesConfig {
            file_url: Some("https://files.example/below".to_owned()),
            image_url: Some("https://files.example".to_owned()),
            ..FilesConfig::default()
        };
        let policy = policy(&files, "chat.example");
        assert_eq!(
            part(&policy, "connect-src"),
            [
                "'self'",
                "ws://chat.example",
                "wss://chat.example",
                "https://files.example"
            ]
        );
    }

    #[test]
    fn what_is_no_host_does_not_get_into_the_policy() {
        let files = FilesConfig::default();
        for host in [
            "a;script-src",
            "a,b",
            "a b",
            "user@a",
            "*",
            "'self'",
            "",
            "a/b",
            "[::1]:20000",
        ] {
            let policy = policy(&files, host);
            assert_eq!(
                part(&policy, "connect-src"),
                ["'self'", "http:", "https:"],
                "{host}"
            );
            assert_eq!(part(&policy, "script-src"), ["'self'"], "{host}");
        }
    }
}
