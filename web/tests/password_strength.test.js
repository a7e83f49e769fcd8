import assert from "node:assert/strict";
import { test } from "node:test";
import { strength } from "../views/auth/password_strength.js";

/** @param {string} password */
const judged = (password) => strength(password, ["lena", "Lena Meyer"], 8);

test("what is guessed first is very weak, whatever signs stand in it", () => {
  for (const password of ["password", "Passw0rd!", "12345678", "qwertyuiop", "woaini1314", "sunshine99"]) {
    assert.deepEqual(judged(password), { score: 0, reason: "common" }, password);
  }
});

test("a name of the user is worth nothing", () => {
  assert.equal(judged("lena2024").reason, "name");
  assert.equal(judged("L3na-l3na").reason, "name");
  assert.ok(judged("lena2024").score <= 1);
});

test("too short is said before anything else", () => {
  assert.deepEqual(judged("xK9#v"), { score: 0, reason: "short" });
});

test("patterns do not become better by being long", () => {
  for (const password of ["abcdefgh", "zyxwvuts", "aaaaaaaaaaaa", "12121212121212"]) assert.ok(judged(password).score <= 1, password);
});

test("length and chance make it strong", () => {
  const rising = ["kitchen7", "xK9#vTq2", "xK9#vTq2mL", "correct horse battery staple"].map((password) => judged(password).score);
  assert.deepEqual(rising, rising.toSorted((a, b) => a - b));
  assert.equal(rising.at(-1), 4);
  assert.ok(judged("春眠不觉晓处处闻啼鸟").score >= 3);
});
