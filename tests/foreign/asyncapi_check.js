// Checks the AsyncAPI document against its standard, and captured frames against the document.
//
// Usage: asyncapi_check.js MODULES DOCUMENT FRAMES. FRAMES has one JSON object a line:
// {"channel": "requests" | "answers" | "events", "frame": {...}}.

const assert = require("node:assert");
const fs = require("node:fs");
const path = require("node:path");

const [modules, documentPath, framesPath] = process.argv.slice(2);
const load = (name) => require(path.resolve(modules, name));
const Ajv = load("ajv");
const addFormats = load("ajv-formats");
const yaml = load("yaml");
const specs = load("@asyncapi/specs");

const document = yaml.parse(fs.readFileSync(documentPath, "utf8"));

// The document itself.
const standard = specs.schemas[document.asyncapi];
assert(standard, `no schema of AsyncAPI ${document.asyncapi}`);
// The standard's schema brings its own copy of the schema of schemas.
const bare = { strict: false, allErrors: true, unicodeRegExp: false, meta: false, validateSchema: false };
const check = addFormats(new Ajv(bare)).compile(standard);
if (!check(document)) {
  console.error(JSON.stringify(check.errors.slice(0, 10), null, 1));
  throw new Error(`${documentPath} is no AsyncAPI document`);
}

// What it says of messages: each has a schema, and each example fits it.
const schemas = document.components.schemas;
const ajv = addFormats(new Ajv({ strict: false, allErrors: true }));
ajv.addSchema({ $id: "doc", components: { schemas } });
const fits = (name) => ajv.getSchema(`doc#/components/schemas/${name}`);
const payload = (message) => message.payload.$ref.split("/").pop();
const messages = Object.entries(document.components.messages);
for (const [name, message] of messages) {
  const validate = fits(payload(message));
  assert(validate, `${name} has no schema`);
  assert(message.examples && message.examples.length > 0, `${name} has no example`);
  for (const example of message.examples) {
    if (!validate(example.payload)) {
      throw new Error(`the example of ${name}: ${ajv.errorsText(validate.errors)}`);
    }
  }
}

// What really went over the wire.
const named = new Map();
for (const [key, message] of messages) {
  const channel = key.endsWith("Request") ? "requests" : key.endsWith("Event") ? "events" : "answers";
  named.set(`${channel} ${message.name}`, fits(payload(message)));
}
const seen = new Set();
for (const line of fs.readFileSync(framesPath, "utf8").split("\n").filter(Boolean)) {
  const { channel, frame } = JSON.parse(line);
  const name = { requests: frame.op, events: frame.event, answers: "answer" }[channel];
  const validate = named.get(`${channel} ${name}`);
  assert(validate, `${name} is not described: ${line}`);
  if (!validate(frame)) {
    throw new Error(`${line}: ${ajv.errorsText(validate.errors)}`);
  }
  seen.add(name);
}
console.log(`${seen.size} kinds of frames seen: ${[...seen].sort().join(" ")}`);
