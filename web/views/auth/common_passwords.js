/** What is tried first: the hundred most common passwords, and those of Chinese users. */
export const COMMON = new Set(
  `123456 password 12345678 qwerty 123456789 12345 1234 111111 1234567 dragon 123123 baseball abc123
  football monkey letmein 696969 shadow master 666666 qwertyuiop 123321 mustang 1234567890 michael 654321
  superman 1qaz2wsx 7777777 121212 000000 qazwsx 123qwe killer trustno1 jordan jennifer zxcvbnm asdfgh
  hunter buster soccer harley batman andrew tigger sunshine iloveyou 2000 charlie robert thomas hockey
  ranger daniel starwars klaster 112233 george computer michelle jessica pepper 1111 zxcvbn 555555
  11111111 131313 freedom 777777 pass maggie 159753 aaaaaa ginger princess joshua cheese amanda summer
  love ashley nicole chelsea matthew access yankees 987654321 dallas austin thunder taylor matrix
  mobilemail mom monitor welcome admin login passw0rd qwerty123 password1 password123 changeme secret
  88888888 5201314 woaini 1314520 147258369 a123456 123456a a123456789 woaini1314 qq123456 asd123
  asdfghjkl 1q2w3e4r 1q2w3e4r5t q1w2e3r4 00000000 12341234 66666666 99999999 zhang123 wang1234 nihao123
  aini1314 iloveyou1314 caonima qweasdzxc 110110110 123456789a abcd1234 aa123456 abc123456`.split(/\s+/),
);
