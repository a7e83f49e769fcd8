-- Bots, webhooks and administration. The columns are explained in 0003_bots_admin.sqlite.sql.
-- Every statement may be repeated, see 0002_log.mysql.sql.
CREATE TABLE IF NOT EXISTS t_bot (
    f_user_id  bigint NOT NULL,
    f_owner_id bigint NOT NULL,
    f_created  bigint NOT NULL,
    PRIMARY KEY (f_user_id),
    KEY i_bot_owner (f_owner_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4
--;
CREATE TABLE IF NOT EXISTS t_incoming_hook (
    f_hook    bigint NOT NULL,
    f_user_id bigint NOT NULL,
    f_creator bigint NOT NULL,
    f_conv    bigint NOT NULL,
    f_name    varchar(255) NOT NULL,
    f_secret  char(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    f_created bigint NOT NULL,
    f_used    bigint NOT NULL,
    PRIMARY KEY (f_hook),
    KEY i_incoming_hook_creator (f_creator)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4
--;
CREATE TABLE IF NOT EXISTS t_outgoing_hook (
    f_hook    bigint NOT NULL,
    f_user_id bigint NOT NULL,
    f_creator bigint NOT NULL,
    f_device  bigint unsigned NOT NULL,
    f_conv    bigint NOT NULL,
    f_name    varchar(255) NOT NULL,
    f_url     varchar(2048) NOT NULL,
    f_secret  varchar(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    f_created bigint NOT NULL,
    f_paused  bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (f_hook),
    KEY i_outgoing_hook_creator (f_creator)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4
--;
CREATE TABLE IF NOT EXISTS t_dead_letter (
    f_hook     bigint NOT NULL,
    f_conv     bigint NOT NULL,
    f_seq      bigint NOT NULL,
    f_time     bigint NOT NULL,
    f_attempts bigint NOT NULL,
    f_reason   varchar(1024) NOT NULL,
    PRIMARY KEY (f_hook, f_conv, f_seq)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4
--;
CREATE TABLE IF NOT EXISTS t_account_state (
    f_user_id  bigint NOT NULL,
    f_admin    tinyint NOT NULL DEFAULT 0,
    f_disabled bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (f_user_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4
--;
CREATE TABLE IF NOT EXISTS t_audit (
    f_id     bigint NOT NULL AUTO_INCREMENT,
    f_time   bigint NOT NULL,
    f_actor  bigint NOT NULL,
    f_by     varchar(255) NOT NULL,
    f_action varchar(64) NOT NULL,
    f_target varchar(255) NOT NULL,
    f_detail text NOT NULL,
    PRIMARY KEY (f_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4
--;
CREATE TABLE IF NOT EXISTS t_invite (
    f_code     varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    f_creator  bigint NOT NULL,
    f_created  bigint NOT NULL,
    f_expires  bigint NOT NULL,
    f_uses_max bigint NOT NULL,
    f_uses     bigint NOT NULL,
    f_note     varchar(255) NOT NULL,
    PRIMARY KEY (f_code)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4
