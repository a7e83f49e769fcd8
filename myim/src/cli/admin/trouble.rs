//! Why a command failed: one sentence, and a code for scripts.

use common::process::Exit;
use serde_json::Value;

/// See the module's description.
#[derive(Debug)]
pub(super) struct Trouble {
    code: u8,
    /// None if all was said already.
    sentence: Option<String>,
}

impl Trouble {
    const REFUSED: u8 = 1;
    const USAGE: u8 = 2;
    const UNREACHABLE: u8 = 3;
    const NOT_ALLOWED: u8 = 4;

    pub(super) fn refused(sentence: impl Into<String>) -> Self {
        Self::new(Self::REFUSED, sentence)
    }

    pub(super) fn usage(sentence: impl Into<String>) -> Self {
        Self::new(Self::USAGE, sentence)
    }

    pub(super) fn unreachable(sentence: impl Into<String>) -> Self {
        Self::new(Self::UNREACHABLE, sentence)
    }

    /// Why an embedded database was not opened: one that no program of this version opens is told
    /// apart from what may go away by itself.
    pub(super) fn database(exit: &Exit) -> Self {
        let code = match exit.code() {
            Exit::SCHEMA => Exit::SCHEMA,
            _ => Self::UNREACHABLE,
        };
        Self::new(code, exit.to_string())
    }

    pub(super) fn not_allowed(sentence: impl Into<String>) -> Self {
        Self::new(Self::NOT_ALLOWED, sentence)
    }

    /// Something was found; it stands in the output.
    pub(super) fn found() -> Self {
        Self {
            code: Self::REFUSED,
            sentence: None,
        }
    }

    fn new(code: u8, sentence: impl Into<String>) -> Self {
        Self {
            code,
            sentence: Some(sentence.into()),
        }
    }

    /// What a server's refusal means.
    pub(super) fn answered(status: u16, problem: &Value) -> Self {
        let word = problem["code"].as_str().unwrap_or_default();
        let detail = match problem["detail"].as_str() {
            Some(detail) => detail.to_owned(),
            None => format!("the server answered with status {status}"),
        };
        let code = match (status, word) {
            (401, _) | (_, "not_an_admin" | "account_disabled" | "foreign_origin") => {
                Self::NOT_ALLOWED
            }
            (500.., _) => Self::UNREACHABLE,
            _ => Self::REFUSED,
        };
        Self::new(code, detail)
    }

    /// If somebody may not do it: who that is.
    pub(super) fn asked_as(mut self, asker: &str) -> Self {
        if self.code == Self::NOT_ALLOWED {
            self.sentence = self.sentence.map(|sentence| {
                let sentence = sentence.trim_end_matches('.');
                format!("{sentence}. It was asked as {asker}; --account says who else does")
            });
        }
        self
    }

    pub(super) fn code(&self) -> u8 {
        self.code
    }

    pub(super) fn sentence(&self) -> Option<&str> {
        self.sentence.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn scripts_can_tell_refusals_apart() {
        let code = |status, code: &str| {
            Trouble::answered(status, &json!({"code": code, "detail": "x"})).code()
        };
        assert_eq!(code(404, "no_such_user"), 1);
        assert_eq!(code(409, "last_admin"), 1);
        assert_eq!(code(401, "unauthenticated"), 4);
        assert_eq!(code(403, "not_an_admin"), 4);
        assert_eq!(code(503, "storage_unavailable"), 3);
        let odd = Trouble::answered(418, &Value::Null);
        assert!(odd.sentence().is_some_and(|text| text.contains("418")));
    }
}
