//! The stable words for everything that can go wrong in the API, with their HTTP status.

/// One way in which a request fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Code {
    /// The HTTP status it comes with.
    pub(crate) status: u16,
    /// What programs decide by. Never renamed.
    pub(crate) word: &'static str,
    /// What it means, for people who write clients.
    pub(crate) means: &'static str,
}

macro_rules! codes {
    ($($name:ident $status:literal $word:literal $means:literal;)*) => {
        $(#[doc = $means]
        pub(crate) const $name: Code = Code { status: $status, word: $word, means: $means };)*

        /// All of them, for the documents.
        pub(crate) const ALL: &[Code] = &[$($name),*];
    };
}

// A request that no client should ever write is 400; one that is well formed but holds a value
// that the server does not accept is 422.
codes! {
    INVALID_REQUEST 400 "invalid_request" "The request is not what HTTP or this API allows.";
    INVALID_JSON 400 "invalid_json" "The body is no JSON, repeats a key, or is nested deeper than 32.";
    INVALID_BODY 400 "invalid_body" "A field of the body is missing, is null, or has the wrong type or form; `detail` names it.";
    INVALID_PARAMETER 400 "invalid_parameter" "A parameter of the query cannot be read; `detail` names it.";
    BAD_CURSOR 400 "bad_cursor" "The place is none that this server gave to this device.";
    UNKNOWN_OP 400 "unknown_op" "There is no such operation on a WebSocket.";
    UNAUTHENTICATED 401 "unauthenticated" "The token is missing, forged, expired or signed out.";
    BAD_CREDENTIALS 401 "bad_credentials" "There is no such user, or the password is wrong.";
    WRONG_PASSWORD 403 "wrong_password" "The old password is wrong.";
    REGISTRATION_CLOSED 403 "registration_closed" "This server takes no new accounts.";
    INVITE_NEEDED 403 "invite_needed" "On this server an account needs an invite.";
    INVITE_INVALID 403 "invite_invalid" "The invite is unknown, used up or expired.";
    ACCOUNT_DISABLED 403 "account_disabled" "An administrator locked this account.";
    NOT_AN_ADMIN 403 "not_an_admin" "Only administrators of the server can do this.";
    FOREIGN_ORIGIN 403 "foreign_origin" "A web page of another site asked, and the server does not allow that site.";
    NOT_A_MEMBER 403 "not_a_member" "Only members of the group can do this.";
    NOT_FRIENDS 403 "not_friends" "You are not contacts; ask this user to be your contact first.";
    BLOCKED 403 "blocked" "This user does not want to hear from you.";
    MUTED 403 "muted" "You may not write to this group at the moment.";
    NOT_ALLOWED 403 "not_allowed" "Your role in the group does not allow this.";
    JOIN_CLOSED 403 "join_closed" "One becomes a member of this group only by being invited.";
    APPROVAL_NEEDED 403 "approval_needed" "An admin of the group has to agree first.";
    NOT_FOR_BOTS 403 "not_for_bots" "Bots cannot do this.";
    NOT_THE_AUTHOR 403 "not_the_author" "Only who wrote the message can do this.";
    TOO_LATE 403 "too_late" "The time to do this is over.";
    NOT_FOUND 404 "not_found" "There is nothing at this address.";
    NO_SUCH_USER 404 "no_such_user" "There is no such user.";
    NO_SUCH_GROUP 404 "no_such_group" "There is no such group.";
    NO_SUCH_CONTACT 404 "no_such_contact" "This user is not among your contacts.";
    NO_SUCH_LIST 404 "no_such_list" "There is no contact list of this name.";
    NO_SUCH_REQUEST 404 "no_such_request" "There is no such open request.";
    NO_SUCH_SESSION 404 "no_such_session" "There is no such session.";
    NO_SUCH_INVITE 404 "no_such_invite" "There is no such invite.";
    NO_SUCH_UPGRADE 404 "no_such_upgrade" "There is no such upgrade, or it was withdrawn.";
    NO_SUCH_MESSAGE 404 "no_such_message" "There is no such message.";
    NO_SUCH_BOT 404 "no_such_bot" "There is no such bot, or it is not yours.";
    NO_SUCH_TOKEN 404 "no_such_token" "The bot has no such token.";
    NO_SUCH_WEBHOOK 404 "no_such_webhook" "There is no such webhook, it is not yours, or its secret is wrong.";
    NO_SUCH_CONVERSATION 404 "no_such_conversation" "There is no such conversation, or it is not yours.";
    NOT_STORED 404 "not_stored" "Nothing was saved under this client id, and nothing will be: it is safe to send again.";
    METHOD_NOT_ALLOWED 405 "method_not_allowed" "The address is right, the method is not; `Allow` lists those that are.";
    USERNAME_TAKEN 409 "username_taken" "Somebody has this user name, or one that looks like it.";
    ALREADY_FRIENDS 409 "already_friends" "You are contacts already.";
    ALREADY_MEMBER 409 "already_member" "This user is a member of the group already.";
    ALREADY_RECALLED 409 "already_recalled" "The message was taken back.";
    CLIENT_ID_CONFLICT 409 "client_id_conflict" "The same client id was used for something else.";
    OWNER_MUST_TRANSFER 409 "owner_must_transfer" "The owner has to hand the group over, or dissolve it.";
    LAST_ADMIN 409 "last_admin" "The last administrator has to make another one first.";
    LIST_EXISTS 409 "list_exists" "There is a contact list of this name already.";
    DEFAULT_LIST 409 "default_list" "The default contact list cannot be changed.";
    ONESELF 409 "oneself" "One cannot do this to oneself.";
    LIMIT_REACHED 409 "limit_reached" "There are as many as the server allows.";
    NAME_VERIFIED 409 "name_verified" "The name belongs to other content.";
    VERSION_TOO_LOW 409 "version_too_low" "The version is not above all that were published in this channel.";
    VERSION_TOO_LOW_FOR_OLD_CLIENTS 409 "version_too_low_for_old_clients" "Existing Windows clients, which compare versions letter by letter, would not take this one for newer.";
    FILE_GONE 410 "file_gone" "The server keeps files for a time only, and this one's is over.";
    MESSAGE_TOO_LARGE 413 "message_too_large" "The message is longer than the server allows.";
    PAYLOAD_TOO_LARGE 413 "payload_too_large" "The body is longer than 1 MiB.";
    UNSUPPORTED_MEDIA_TYPE 415 "unsupported_media_type" "The body is not declared as application/json.";
    INVALID_USERNAME 422 "invalid_username" "The user name is empty, too long, or has characters that names may not have.";
    WEAK_PASSWORD 422 "weak_password" "The password is shorter than 8 characters, or than the server asks for, longer than 1024 bytes, or the user name.";
    INVALID_VALUE 422 "invalid_value" "A field holds a value that the server does not accept; `detail` names it.";
    NO_SUCH_FILE 422 "no_such_file" "There is no such file, or it is not yours to read.";
    WEBHOOK_TARGET_REFUSED 422 "webhook_target_refused" "The server does not post to this URL; `detail` says why.";
    RATE_LIMITED 429 "rate_limited" "Too many requests; try again later.";
    TOO_MANY_ATTEMPTS 429 "too_many_attempts" "Too many failed attempts; try again later.";
    INTERNAL 500 "internal" "The server made a mistake.";
    STORAGE_UNAVAILABLE 503 "storage_unavailable" "The database cannot be reached; try again later, a send with the same client id.";
    SHUTTING_DOWN 503 "shutting_down" "The server is stopping.";
    TIMED_OUT 503 "timed_out" "The server did not finish in time; the request may have been carried out.";
}
