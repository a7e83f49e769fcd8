//! Where a webhook posts to: which URLs and which addresses are allowed.
//!
//! A name is looked up once for each connection, all its addresses are checked, and the connection
//! goes to these addresses: a name that answers differently the next time gains nothing.

use std::io;
use std::net::{IpAddr, SocketAddr};

use async_trait::async_trait;
use common::config::Networks;
use common::net::Outward;
use thiserror::Error;
use url::{Host, Url};

use super::address;

/// The longest URL, in bytes: the column holds so many.
pub(crate) const URL_BYTES_MAX: usize = 2048;
/// How many addresses of a name are tried.
const ADDRESSES_MAX: usize = 4;

/// Why nothing is posted to a target. It never says what the URL is: that may hold a secret.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum TargetError {
    #[error("the URL is longer than {URL_BYTES_MAX} bytes")]
    TooLong,
    #[error("this is not a URL like https://example.com/hook")]
    NoUrl,
    #[error("only http and https are posted to")]
    Scheme,
    #[error("a URL with a user name or a password is not posted to; put a secret into the path")]
    UserInfo,
    #[error("the name {name} cannot be looked up: {reason}")]
    Unknown { name: String, reason: String },
    #[error("the name {name} was not looked up in time")]
    SlowName { name: String },
    #[error(
        "{address} is no public address; the server's operator can allow its network with \
         webhook_allowed_networks"
    )]
    NotPublic { address: IpAddr },
}

/// A URL that may be posted to, as far as one can tell without looking its name up.
#[derive(Clone, Debug)]
pub(crate) struct Target(Url);

impl Target {
    pub(crate) fn parse(text: &str) -> Result<Self, TargetError> {
        if text.len() > URL_BYTES_MAX {
            return Err(TargetError::TooLong);
        }
        let url = Url::parse(text).map_err(|_| TargetError::NoUrl)?;
        if !["http", "https"].contains(&url.scheme()) {
            return Err(TargetError::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(TargetError::UserInfo);
        }
        if url.host().is_none() || url.as_str().len() > URL_BYTES_MAX {
            return Err(TargetError::NoUrl);
        }
        Ok(Self(url))
    }

    pub(super) fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// The name or address, as it stands in certificates.
    pub(super) fn name(&self) -> String {
        match self.0.host() {
            Some(Host::Ipv6(address)) => address.to_string(),
            Some(host) => host.to_string(),
            None => String::new(),
        }
    }

    /// What stands in the header `Host`.
    pub(super) fn authority(&self) -> String {
        let host = self.0.host_str().unwrap_or_default();
        match self.0.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        }
    }

    pub(super) fn path_and_query(&self) -> String {
        match self.0.query() {
            Some(query) => format!("{}?{query}", self.0.path()),
            None => self.0.path().to_owned(),
        }
    }

    fn port(&self) -> u16 {
        self.0.port_or_known_default().unwrap_or(0)
    }
}

/// Looks names up.
#[async_trait]
pub(crate) trait Resolve: Send + Sync {
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

#[async_trait]
impl Resolve for Outward {
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        Outward::resolve(self, name).await
    }
}

/// The addresses of a target, all of them checked. One that is not allowed spoils the others:
/// nobody could say which of them a connection would have gone to.
pub(crate) async fn checked(
    target: &Target,
    allowed: &Networks,
    names: &dyn Resolve,
) -> Result<Vec<SocketAddr>, TargetError> {
    let found = match target.0.host() {
        Some(Host::Ipv4(address)) => vec![IpAddr::V4(address)],
        Some(Host::Ipv6(address)) => vec![IpAddr::V6(address)],
        Some(Host::Domain(name)) => look_up(name, names).await?,
        None => return Err(TargetError::NoUrl),
    };
    let mut addresses = Vec::with_capacity(found.len());
    for address in found {
        let address = address::canonical(address);
        if !address::is_public(address) && !allowed.contain(address) {
            return Err(TargetError::NotPublic { address });
        }
        addresses.push(SocketAddr::new(address, target.port()));
    }
    addresses.truncate(ADDRESSES_MAX);
    Ok(addresses)
}

async fn look_up(name: &str, names: &dyn Resolve) -> Result<Vec<IpAddr>, TargetError> {
    let unknown = |reason: String| TargetError::Unknown {
        name: name.to_owned(),
        reason,
    };
    let found = names.resolve(name).await;
    let found = found.map_err(|error| unknown(error.to_string()))?;
    if found.is_empty() {
        return Err(unknown("it has no address".to_owned()));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::Mutex;

    use super::*;

    /// Gives one answer after the other.
    struct Names(Mutex<VecDeque<Vec<&'static str>>>);

    impl Names {
        fn new(answers: &[&[&'static str]]) -> Self {
            Self(Mutex::new(answers.iter().map(|one| one.to_vec()).collect()))
        }
    }

    #[async_trait]
    impl Resolve for Names {
        async fn resolve(&self, _: &str) -> io::Result<Vec<IpAddr>> {
            let answer = self.0.lock().unwrap().pop_front();
            let answer = answer.ok_or_else(|| io::Error::other("asked too often"))?;
            Ok(answer.into_iter().map(|one| one.parse().unwrap()).collect())
        }
    }

    async fn check(url: &str, allowed: &str, names: &Names) -> Result<Vec<String>, TargetError> {
        let target = Target::parse(url)?;
        let found = checked(&target, &allowed.parse().unwrap(), names).await?;
        Ok(found.iter().map(ToString::to_string).collect())
    }

    async fn of_number(url: &str) -> Result<Vec<String>, TargetError> {
        check(url, "", &Names::new(&[])).await
    }

    #[tokio::test]
    async fn urls_that_are_none_or_not_allowed() {
        for (url, error) in [
            ("", TargetError::NoUrl),
            ("example.com/hook", TargetError::NoUrl),
            ("http://", TargetError::NoUrl),
            ("http://a b/", TargetError::NoUrl),
            ("ftp://example.com/", TargetError::Scheme),
            ("file:///etc/passwd", TargetError::Scheme),
            ("gopher://example.com/", TargetError::Scheme),
            ("unix:/run/docker.sock", TargetError::Scheme),
            ("https://ann@example.com/", TargetError::UserInfo),
            ("https://ann:secret@example.com/", TargetError::UserInfo),
            ("https://:secret@example.com/", TargetError::UserInfo),
        ] {
            assert_eq!(Target::parse(url).unwrap_err(), error, "{url}");
        }
        let long = format!("https://example.com/{}", "a".repeat(URL_BYTES_MAX));
        assert_eq!(Target::parse(&long).unwrap_err(), TargetError::TooLong);
    }

    #[tokio::test]
    async fn an_address_is_checked_however_it_is_written() {
        for url in [
            "http://127.0.0.1/",
            "http://127.1/",
            "http://2130706433/",
            "http://0x7f.0.0.1/",
            "http://0177.0.0.1/",
            "http://127.0.0.1.:80/",
            "http://\u{ff11}27.0.0.1/",
            "http://[::1]/",
            "http://[::ffff:127.0.0.1]/",
            "http://[0:0:0:0:0:ffff:7f00:1]/",
            "http://[64:ff9b::7f00:1]/",
            "http://169.254.169.254/latest/meta-data/",
            "http://0/",
        ] {
            let refused = of_number(url).await.unwrap_err();
            assert!(
                matches!(refused, TargetError::NotPublic { .. }),
                "{url}: {refused}"
            );
        }
        assert_eq!(
            of_number("https://1.1.1.1/x").await.unwrap(),
            ["1.1.1.1:443"]
        );
        assert_eq!(
            of_number("http://[2606:4700:4700::1111]:8080/")
                .await
                .unwrap(),
            ["[2606:4700:4700::1111]:8080"]
        );
        assert_eq!(
            of_number("http://[::ffff:8.8.8.8]/").await.unwrap(),
            ["8.8.8.8:80"]
        );
    }

    #[tokio::test]
    async fn one_bad_address_of_a_name_is_one_too_many() {
        let names = Names::new(&[
            &["93.184.216.34", "10.0.0.1"],
            &["93.184.216.34", "::ffff:7f00:1"],
            &[],
            &["93.184.216.34", "2606:2800:21f:cb07::1"],
        ]);
        let url = "https://hook.example/a?b=c";
        for _ in 0..2 {
            let refused = check(url, "", &names).await.unwrap_err();
            assert!(
                matches!(refused, TargetError::NotPublic { .. }),
                "{refused}"
            );
        }
        let refused = check(url, "", &names).await.unwrap_err();
        assert!(matches!(refused, TargetError::Unknown { .. }), "{refused}");
        assert_eq!(check(url, "", &names).await.unwrap().len(), 2);
        let refused = check(url, "", &names).await.unwrap_err();
        assert!(refused.to_string().contains("asked too often"), "{refused}");
    }

    #[tokio::test]
    async fn a_name_that_changes_its_mind_is_checked_each_time() {
        let names = Names::new(&[&["93.184.216.34"], &["127.0.0.1"]]);
        let url = "https://rebinding.example/";
        assert_eq!(check(url, "", &names).await.unwrap(), ["93.184.216.34:443"]);
        let loopback = "127.0.0.1".parse().unwrap();
        assert_eq!(
            check(url, "", &names).await.unwrap_err(),
            TargetError::NotPublic { address: loopback }
        );
    }

    #[tokio::test]
    async fn an_operator_may_allow_networks() {
        let none = Names::new(&[]);
        let allowed = "10.1.0.0/16,127.0.0.1/32";
        for url in ["http://10.1.2.3/", "http://[::ffff:127.0.0.1]/"] {
            assert!(check(url, allowed, &none).await.is_ok(), "{url}");
        }
        for url in ["http://10.2.2.3/", "http://127.0.0.2/", "http://[::1]/"] {
            assert!(check(url, allowed, &none).await.is_err(), "{url}");
        }
    }

    #[test]
    fn a_target_is_asked_as_its_url_says() {
        let target = Target::parse("HTTPS://Hook.Example:8443/a b?c=d#e").unwrap();
        assert!(target.is_https());
        assert_eq!(target.name(), "hook.example");
        assert_eq!(target.authority(), "hook.example:8443");
        assert_eq!(target.path_and_query(), "/a%20b?c=d");
        let target = Target::parse("http://[2606:4700::1]").unwrap();
        assert_eq!(target.name(), "2606:4700::1");
        assert_eq!(target.authority(), "[2606:4700::1]");
        assert_eq!(target.path_and_query(), "/");
    }
}
