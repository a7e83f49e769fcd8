//! Why a request failed, as clients are told: RFC 9457 problem details, and the one table from
//! refusals to codes. WebSocket errors carry the same `code`, and `detail` as their message.

use std::borrow::Cow;
use std::time::Duration;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use common::api::Refusal;
use common::http::problem::{STORE_RETRY_AFTER_S, answer};
use common::store::StoreError;
use serde::Serialize;
use utoipa::ToSchema;

use super::code::{self, Code};
use crate::command::{Failure, Field};

/// Why a request failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) code: Code,
    /// What went wrong this time, for people.
    pub(crate) detail: Cow<'static, str>,
    /// In seconds, where waiting helps.
    pub(crate) retry_after: Option<u64>,
}

/// What stands in the body of a failed request.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemDetails<'a> {
    /// Where the code is explained.
    #[serde(rename = "type")]
    #[schema(examples("/api/docs#problem-username_taken"))]
    kind: String,
    title: &'static str,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What went wrong this time, for people.
    detail: &'a str,
    /// A stable word to decide by.
    #[schema(pattern = "^[a-z_]+$")]
    code: &'static str,
    /// In seconds, where waiting helps.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 0)]
    retry_after: Option<u64>,
}

impl From<Code> for Problem {
    fn from(code: Code) -> Self {
        Self {
            code,
            detail: Cow::Borrowed(code.means),
            retry_after: usual_wait(code),
        }
    }
}

impl Problem {
    /// A problem with its own words.
    pub(crate) fn new(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            detail: detail.into(),
            retry_after: usual_wait(code),
        }
    }

    /// The same, with the time after which trying again makes sense. What the code says of it is
    /// said with that time.
    #[must_use]
    pub(crate) fn after(mut self, wait: Duration) -> Self {
        // Rounded up: a client that came a moment too early would be refused again.
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        let seconds = seconds.max(1);
        if self.detail == self.code.means {
            self.detail = self
                .detail
                .replacen("later", &format!("in {seconds} s"), 1)
                .into();
        }
        self.retry_after = Some(seconds);
        self
    }

    /// What a response of this status says that nobody gave a body.
    pub(super) fn of_status(status: StatusCode) -> Self {
        let code = match status.as_u16() {
            401 => code::UNAUTHENTICATED,
            404 => code::NOT_FOUND,
            405 => code::METHOD_NOT_ALLOWED,
            413 => code::PAYLOAD_TOO_LARGE,
            415 => code::UNSUPPORTED_MEDIA_TYPE,
            503 => code::SHUTTING_DOWN,
            400..500 => code::INVALID_REQUEST,
            _ => code::INTERNAL,
        };
        Self::from(code)
    }

    /// The problem as the value of its JSON object.
    pub(crate) fn details(&self) -> ProblemDetails<'_> {
        ProblemDetails {
            kind: format!("/api/docs#problem-{}", self.code.word),
            title: self.code.means,
            status: self.code.status,
            detail: &self.detail,
            code: self.code.word,
            retry_after: self.retry_after,
        }
    }
}

/// Statuses that say "come again" always say when.
fn usual_wait(code: Code) -> Option<u64> {
    [429, 503].contains(&code.status).then_some(1)
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status =
            StatusCode::from_u16(self.code.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        answer(status, &self.details(), self.retry_after)
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(refusal) => refusal.into(),
            Failure::Invalid { field, .. } | Failure::TooLong { field, .. } => {
                let code = match field {
                    Field::USERNAME => code::INVALID_USERNAME,
                    Field::PASSWORD => code::WEAK_PASSWORD,
                    _ => code::INVALID_VALUE,
                };
                Self::new(code, failure.to_string())
            }
            Failure::WrongPassword => code::BAD_CREDENTIALS.into(),
            Failure::Unauthenticated => code::UNAUTHENTICATED.into(),
            Failure::LockedOut => Self::new(code::UNAUTHENTICATED, failure.to_string()),
            Failure::TooManyAttempts { wait } => Self::from(code::TOO_MANY_ATTEMPTS).after(wait),
            Failure::RegistrationClosed => code::REGISTRATION_CLOSED.into(),
            Failure::InviteNeeded => code::INVITE_NEEDED.into(),
            Failure::NotForBots => code::NOT_FOR_BOTS.into(),
            Failure::MessageTooLarge => code::MESSAGE_TOO_LARGE.into(),
            Failure::NoSuchFile => code::NO_SUCH_FILE.into(),
            Failure::FileGone => code::FILE_GONE.into(),
            Failure::Target(error) => Self::new(code::WEBHOOK_TARGET_REFUSED, error.to_string()),
            Failure::Store(error) => error.into(),
        }
    }
}

/// What is said where the database broke off: nobody may believe that nothing was changed.
const UNKNOWN: &str = "The database did not say whether this was saved; look, or try again, \
     a send with the same client id.";

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let wait = Duration::from_secs(STORE_RETRY_AFTER_S);
        if error.is_outcome_unknown() {
            return Self::new(code::STORAGE_UNAVAILABLE, UNKNOWN).after(wait);
        }
        if error.is_passing() {
            return Self::from(code::STORAGE_UNAVAILABLE).after(wait);
        }
        // What exactly is broken is for the operator, not for strangers.
        tracing::error!(%error, "a request failed");
        code::INTERNAL.into()
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self::new(refused(refusal), refusal.to_string())
    }
}

/// The word of a refusal that stands in an answer for one of many.
pub(crate) fn word_of(refusal: Refusal) -> &'static str {
    refused(refusal).word
}

/// The table from refusals to codes.
fn refused(refusal: Refusal) -> Code {
    match refusal {
        Refusal::UsernameTaken => code::USERNAME_TAKEN,
        Refusal::NoSuchUser => code::NO_SUCH_USER,
        Refusal::NoSuchGroup => code::NO_SUCH_GROUP,
        Refusal::NotFriends => code::NOT_FRIENDS,
        Refusal::AlreadyFriends => code::ALREADY_FRIENDS,
        Refusal::NotRequested => code::NO_SUCH_REQUEST,
        Refusal::Blocked => code::BLOCKED,
        Refusal::NotAMember => code::NOT_A_MEMBER,
        Refusal::AlreadyMember => code::ALREADY_MEMBER,
        Refusal::NotAllowed => code::NOT_ALLOWED,
        Refusal::ApprovalNeeded => code::APPROVAL_NEEDED,
        Refusal::JoinClosed => code::JOIN_CLOSED,
        Refusal::Muted => code::MUTED,
        Refusal::OwnerMustStay => code::OWNER_MUST_TRANSFER,
        Refusal::Oneself => code::ONESELF,
        Refusal::NoSuchTeam => code::NO_SUCH_LIST,
        Refusal::TeamExists => code::LIST_EXISTS,
        Refusal::DefaultTeam => code::DEFAULT_LIST,
        Refusal::TooMany => code::LIMIT_REACHED,
        Refusal::NameVerified => code::NAME_VERIFIED,
        Refusal::ClientIdConflict => code::CLIENT_ID_CONFLICT,
        Refusal::NoSuchMessage => code::NO_SUCH_MESSAGE,
        Refusal::NotTheAuthor => code::NOT_THE_AUTHOR,
        Refusal::TooLate => code::TOO_LATE,
        Refusal::AlreadyRecalled => code::ALREADY_RECALLED,
        Refusal::NoSuchConversation => code::NO_SUCH_CONVERSATION,
        Refusal::NoSuchSession => code::NO_SUCH_SESSION,
        Refusal::NoSuchBot => code::NO_SUCH_BOT,
        Refusal::NoSuchToken => code::NO_SUCH_TOKEN,
        Refusal::NoSuchWebhook => code::NO_SUCH_WEBHOOK,
        Refusal::PasswordChanged => code::BAD_CREDENTIALS,
        Refusal::AccountDisabled => code::ACCOUNT_DISABLED,
        Refusal::NotAnAdmin => code::NOT_AN_ADMIN,
        Refusal::LastAdmin => code::LAST_ADMIN,
        Refusal::NoSuchInvite => code::NO_SUCH_INVITE,
        Refusal::InviteInvalid => code::INVITE_INVALID,
        Refusal::NoSuchUpgrade => code::NO_SUCH_UPGRADE,
        Refusal::VersionTooLow => code::VERSION_TOO_LOW,
        Refusal::VersionTooLowForOld => code::VERSION_TOO_LOW_FOR_OLD_CLIENTS,
        Refusal::NoSuchFile => code::NO_SUCH_FILE,
        Refusal::FileNeeded => code::NOT_ALLOWED,
        Refusal::QuotaUser | Refusal::QuotaTotal => code::LIMIT_REACHED,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
    use common::http::problem::PROBLEM_JSON;

    use super::*;

    #[test]
    fn codes_are_words_that_stand_once_and_have_an_error_status() {
        for (place, code) in code::ALL.iter().enumerate() {
            assert!(
                code.word
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b == b'_'),
                "{code:?}"
            );
            assert!((400..600).contains(&code.status), "{code:?}");
            let again = code::ALL.iter().rposition(|other| other.word == code.word);
            assert_eq!(again, Some(place), "{code:?}");
        }
    }

    #[test]
    fn a_problem_says_when_to_come_again() {
        let wait = Duration::from_millis(1500);
        let response = Problem::from(Failure::TooManyAttempts { wait }).into_response();
        assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(response.headers()[RETRY_AFTER], "2");
        assert_eq!(response.headers()[CONTENT_TYPE], PROBLEM_JSON);
        let problem = Problem::from(code::RATE_LIMITED).after(wait);
        assert_eq!(problem.detail, "Too many requests; try again in 2 s.");
        assert_eq!(
            problem.details().title,
            "Too many requests; try again later."
        );
        // Words of its own say what they have to.
        let own = Problem::new(code::RATE_LIMITED, "sooner or later").after(wait);
        assert_eq!(own.detail, "sooner or later");
        let away = Problem::from(StoreError::Unreachable("x".to_owned()));
        assert_eq!(away.code, code::STORAGE_UNAVAILABLE);
        assert!(away.retry_after.is_some());
        let unknown = Problem::from(StoreError::OutcomeUnknown("x".to_owned()));
        assert_eq!(unknown.code, code::STORAGE_UNAVAILABLE);
        assert!(unknown.retry_after.is_some());
        assert_ne!(unknown.detail, away.detail);
        let lost = Problem::from(StoreError::SyncFailed("x".to_owned()));
        assert_eq!((lost.code, lost.detail), (unknown.code, unknown.detail));
        let broken = Problem::from(StoreError::Broken("secret".to_owned()));
        assert_eq!(broken.code, code::INTERNAL);
        assert!(!broken.detail.contains("secret"));
    }

    #[test]
    fn names_and_passwords_have_codes_of_their_own() {
        let invalid = |field| {
            let problem = "is empty";
            Problem::from(Failure::Invalid { field, problem }).code
        };
        assert_eq!(invalid(Field::USERNAME), code::INVALID_USERNAME);
        assert_eq!(invalid(Field::PASSWORD), code::WEAK_PASSWORD);
        assert_eq!(invalid("the remark"), code::INVALID_VALUE);
        let long = Problem::from(Failure::TooLong {
            field: Field::USERNAME,
            most: 31,
            unit: "bytes",
        });
        assert_eq!(long.code, code::INVALID_USERNAME);
        assert_eq!(long.detail, "the user name is too long: 31 bytes at most");
    }
}
