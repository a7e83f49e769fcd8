-- The three tables of the original Flamingo server, with its columns. In an original database they
-- exist already and keep their content.
CREATE TABLE IF NOT EXISTS t_user (
    f_id            bigint NOT NULL AUTO_INCREMENT,
    f_user_id       bigint NOT NULL,
    f_username      varchar(255) NOT NULL,
    f_nickname      varchar(255) NOT NULL,
    f_password      varchar(255) NOT NULL DEFAULT '',
    f_facetype      int DEFAULT 0,
    f_customface    varchar(255) DEFAULT NULL,
    f_customfacefmt varchar(6) DEFAULT NULL,
    f_gender        int DEFAULT 0,
    f_birthday      bigint DEFAULT 19900101,
    f_signature     varchar(1024) DEFAULT NULL,
    f_address       varchar(1024) DEFAULT NULL,
    f_phonenumber   varchar(255) DEFAULT NULL,
    f_mail          varchar(1024) DEFAULT NULL,
    f_register_time datetime NOT NULL,
    f_owner_id      bigint DEFAULT 0,
    f_remark        varchar(64) DEFAULT NULL,
    f_update_time   timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
    f_teaminfo      mediumblob DEFAULT NULL,
    PRIMARY KEY (f_user_id),
    KEY f_id (f_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4
--;
CREATE TABLE IF NOT EXISTS t_user_relationship (
    f_id             bigint NOT NULL AUTO_INCREMENT,
    f_user_id1       bigint NOT NULL,
    f_user_id2       bigint NOT NULL,
    f_user1_teamname varchar(255) NOT NULL DEFAULT '',
    f_user1_markname varchar(255) DEFAULT NULL,
    f_user2_teamname varchar(255) NOT NULL DEFAULT '',
    f_user2_markname varchar(255) DEFAULT NULL,
    f_update_time    timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
    f_remark         varchar(64) DEFAULT NULL,
    PRIMARY KEY (f_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4
--;
CREATE TABLE IF NOT EXISTS t_chatmsg (
    f_id          bigint NOT NULL AUTO_INCREMENT,
    f_senderid    bigint NOT NULL,
    f_targetid    bigint NOT NULL,
    f_msgcontent  mediumblob NOT NULL,
    f_create_time timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP,
    f_remark      varchar(64) DEFAULT NULL,
    PRIMARY KEY (f_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4
