INSERT INTO t_user (f_user_id, f_username, f_nickname, f_password, f_register_time, f_teaminfo) VALUES
  (1, 'ann', 'Ann', 'secret', '2017-07-14 00:00:00', '[{"members":[],"teamname":"My Friends"},{"members":[],"teamname":"Work"}]'),
  (2, 'bob', 'Bob', 'pass', '2017-07-14 00:00:00', NULL),
  (5, 'bob', 'Second Bob', 'pass', '2017-07-14 00:00:00', ''),
  (9, 'cat', '猫', '', '0000-00-00 00:00:00', '[{"members"'),
  (268435456, '268435456', 'team', '', '2017-07-14 00:00:00', NULL);
INSERT INTO t_user_relationship (f_user_id1, f_user_id2, f_user1_teamname, f_user1_markname, f_user2_teamname) VALUES
  (1, 2, 'Work', 'Bobby', ''),
  (1, 268435456, 'My Friends', NULL, 'My Friends'),
  (1, 2, 'My Friends', 'duplicate', ''),
  (2, 268435456, 'My Friends', NULL, 'My Friends'),
  (1, 9, '我的好友', NULL, '我的好友'),
  (9, 268435459, 'My Friends', NULL, 'My Friends'),
  (1, 2, 'My Friends', 'duplicate', '');
INSERT INTO t_chatmsg (f_senderid, f_targetid, f_msgcontent, f_create_time) VALUES
  (1, 2, '{"content":"hello"}', FROM_UNIXTIME(1500000000)),
  (2, 1, '{"content":"hi"}', FROM_UNIXTIME(1500000100)),
  (1, 268435456, '{"content":"all"}', FROM_UNIXTIME(1500000000)),
  (0, 2, '{"content":"from nobody"}', FROM_UNIXTIME(1500000000)),
  (1, 268435455, '{"content":"to nobody"}', FROM_UNIXTIME(1500000000)),
  (12, 1, '{"content":"from somebody who is gone"}', FROM_UNIXTIME(1500000000)),
  (1, 268435463, '{"content":"to a group that never was"}', FROM_UNIXTIME(1500000000)),
  (1, 2, '{"content":"back in time"}', FROM_UNIXTIME(1500000050));
