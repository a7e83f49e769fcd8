-- What the HTTP and WebSocket API needs: sessions, read marks, blocks, rules of groups, what was
-- changed about a message, and the words for searching. The columns are explained in
-- 0002_api.sqlite.sql. Every statement may be repeated, see 0002_log.mysql.sql.
CALL api_columns
--;
CALL api_keys
--;
CREATE TABLE IF NOT EXISTS t_session (
    f_session bigint NOT NULL,
    f_user_id bigint NOT NULL,
    f_device  bigint unsigned NOT NULL,
    f_created bigint NOT NULL,
    f_seen    bigint NOT NULL,
    f_expires bigint NOT NULL,
    PRIMARY KEY (f_session),
    UNIQUE KEY u_session_device (f_user_id, f_device)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4
--;
CREATE TABLE IF NOT EXISTS t_block (
    f_user_id    bigint NOT NULL,
    f_blocked_id bigint NOT NULL,
    f_time       bigint NOT NULL,
    PRIMARY KEY (f_user_id, f_blocked_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4
--;
CREATE TABLE IF NOT EXISTS t_group (
    f_group_id     bigint NOT NULL,
    f_announcement text NOT NULL,
    f_join         tinyint NOT NULL DEFAULT 0,
    f_invite       tinyint NOT NULL DEFAULT 0,
    f_muted        tinyint NOT NULL DEFAULT 0,
    PRIMARY KEY (f_group_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4
--;
CREATE TABLE IF NOT EXISTS t_join_request (
    f_group_id bigint NOT NULL,
    f_user_id  bigint NOT NULL,
    f_note     varchar(1024) NOT NULL,
    f_time     bigint NOT NULL,
    PRIMARY KEY (f_group_id, f_user_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4
--;
CREATE TABLE IF NOT EXISTS t_message_state (
    f_conv     bigint NOT NULL,
    f_seq      bigint NOT NULL,
    f_recalled bigint NOT NULL DEFAULT 0,
    f_edited   bigint NOT NULL DEFAULT 0,
    f_content  mediumblob DEFAULT NULL,
    PRIMARY KEY (f_conv, f_seq)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4
--;
CREATE TABLE IF NOT EXISTS t_reaction (
    f_conv    bigint NOT NULL,
    f_seq     bigint NOT NULL,
    -- Bytes, because text collations take different emoji for the same.
    f_emoji   varbinary(64) NOT NULL,
    f_user_id bigint NOT NULL,
    f_time    bigint NOT NULL,
    PRIMARY KEY (f_conv, f_seq, f_emoji, f_user_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4
--;
CREATE TABLE IF NOT EXISTS t_word (
    f_conv bigint NOT NULL,
    f_word varbinary(96) NOT NULL,
    f_seq  bigint NOT NULL,
    f_time bigint NOT NULL,
    PRIMARY KEY (f_conv, f_word, f_seq)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4
--;
CREATE TABLE IF NOT EXISTS t_mention (
    f_conv    bigint NOT NULL,
    f_user_id bigint NOT NULL,
    f_seq     bigint NOT NULL,
    PRIMARY KEY (f_conv, f_user_id, f_seq)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4
--;
CREATE TABLE IF NOT EXISTS t_meta (
    f_key   varbinary(64) NOT NULL,
    f_value text NOT NULL,
    PRIMARY KEY (f_key)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4
