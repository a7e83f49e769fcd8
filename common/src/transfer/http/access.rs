//! Who asks: somebody who is signed in, or, where the server is open to all, anybody.

use std::net::{IpAddr, SocketAddr};

use axum::extract::ConnectInfo;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};

use super::problem::Problem;
use crate::auth::{LOCKED_OUT, NotSignedIn};
use crate::config::Access;
use crate::http::Guest;
use crate::id::UserId;
use crate::transfer::Transfers;

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// `None` for somebody who did not sign in, on a server that is open to all.
    pub user: Option<UserId>,
    pub address: IpAddr,
}

impl Transfers {
    /// Who asks.
    ///
    /// # Errors
    /// 401 without a token where one is needed, and with a bad one everywhere.
    pub async fn caller(&self, parts: &Parts) -> Result<Caller, Problem> {
        let Some(ConnectInfo(peer)) = parts.extensions.get::<ConnectInfo<SocketAddr>>() else {
            tracing::error!("a request without an address");
            return Err(Problem::internal());
        };
        let user = match bearer(&parts.headers)? {
            Some(token) => Some(self.signed_in(token).await?),
            None if self.policy.access == Access::Open => None,
            None => return Err(unauthenticated()),
        };
        if let Some(guest) = parts.extensions.get::<Guest>() {
            guest.permit.greeted();
        }
        let address = peer.ip();
        Ok(Caller { user, address })
    }
}

impl Transfers {
    async fn signed_in(&self, token: &str) -> Result<UserId, Problem> {
        let store = &*self.store;
        let known = self
            .sessions
            .authenticate(store, store, token, self.clock.now());
        match known.await {
            Ok((known, _)) => Ok(known.user),
            Err(NotSignedIn::Unauthenticated) => Err(unauthenticated()),
            Err(NotSignedIn::LockedOut) => Err(refused(LOCKED_OUT)),
            Err(NotSignedIn::Disabled) => {
                let detail = "An administrator locked this account.";
                Err(Problem::new(
                    StatusCode::FORBIDDEN,
                    "account_disabled",
                    detail,
                ))
            }
            Err(NotSignedIn::Store(error)) => Err(error.into()),
        }
    }
}

fn unauthenticated() -> Problem {
    refused("The token is missing, forged, expired or signed out.")
}

fn refused(detail: &'static str) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "unauthenticated", detail)
}

/// The token of `Authorization: Bearer TOKEN`; `None` without the header.
fn bearer(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let Some(value) = headers.get(AUTHORIZATION) else {
        return Ok(None);
    };
    let token = value.to_str().ok().and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        let token = token.trim();
        (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
    });
    token.map(Some).ok_or_else(unauthenticated)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_stands_behind_the_word_bearer() {
        let read = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(AUTHORIZATION, value.parse().unwrap());
            bearer(&headers).map(|token| token.map(str::to_owned))
        };
        assert_eq!(read("Bearer abc").unwrap().unwrap(), "abc");
        assert_eq!(read("bearer  abc").unwrap().unwrap(), "abc");
        for bad in ["", "abc", "Basic abc", "Bearer ", "Bearer"] {
            assert_eq!(read(bad).unwrap_err().status, 401, "{bad:?}");
        }
        assert_eq!(bearer(&HeaderMap::new()), Ok(None));
    }
}
