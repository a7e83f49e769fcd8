//! The description of the API as one page for people: no script, nothing from elsewhere.

use std::fmt::Write;

use serde_json::Value;

use super::code;

/// What the page may do: show itself, with its own style.
pub(super) const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'";

const STYLE: &str = "\
:root{color-scheme:light dark;--line:#8884;--soft:#8882}\
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}\
code,pre{font:0.9em ui-monospace,monospace}pre{background:var(--soft);padding:.7rem;overflow:auto}\
section{border-top:1px solid var(--line);margin-top:2rem}h3 code{font-size:1em}\
h3 b{display:inline-block;min-width:4.5rem}table{border-collapse:collapse;width:100%}\
td,th{border-bottom:1px solid var(--line);padding:.3rem .6rem;text-align:left;vertical-align:top}\
nav a{display:block}a,td,code{overflow-wrap:anywhere}";

/// The methods in the order in which people look for them.
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// Writes the page for an OpenAPI description.
pub(super) fn render(description: &Value) -> String {
    let mut page = Page(String::new());
    page.raw("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">");
    page.raw("<meta name=\"viewport\" content=\"width=device-width\">");
    page.raw("<title>myim API</title><style>");
    page.raw(STYLE);
    page.raw("</style></head><body><h1>myim API</h1>");
    page.prose(&description["info"]["description"]);
    page.raw("<p><a href=\"/api/v1/openapi.json\">OpenAPI 3.1</a></p>");
    let operations = operations(description);
    page.contents(&operations);
    for operation in &operations {
        page.operation(operation);
    }
    page.shapes(&description["components"]["schemas"]);
    page.codes();
    page.raw("</body></html>");
    page.0
}

struct Operation<'a> {
    method: &'static str,
    path: &'a str,
    tag: &'a str,
    value: &'a Value,
}

fn operations(description: &Value) -> Vec<Operation<'_>> {
    let mut operations = Vec::new();
    for (path, item) in description["paths"].as_object().into_iter().flatten() {
        for method in METHODS {
            if let Some(value) = item.get(method) {
                let tag = value["tags"][0].as_str().unwrap_or("other");
                operations.push(Operation {
                    method,
                    path,
                    tag,
                    value,
                });
            }
        }
    }
    operations.sort_by_key(|operation| operation.tag);
    operations
}

impl Operation<'_> {
    fn anchor(&self) -> &str {
        self.value["operationId"].as_str().unwrap_or_default()
    }
}

struct Page(String);

impl Page {
    fn raw(&mut self, html: &str) {
        self.0.push_str(html);
    }

    fn text(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '<' => self.raw("&lt;"),
                '>' => self.raw("&gt;"),
                '&' => self.raw("&amp;"),
                '"' => self.raw("&quot;"),
                c => self.0.push(c),
            }
        }
    }

    /// Text with `code` in backquotes, and an empty line between paragraphs.
    fn prose(&mut self, text: &Value) {
        for paragraph in text.as_str().unwrap_or_default().split("\n\n") {
            self.raw("<p>");
            self.inline(paragraph);
            self.raw("</p>");
        }
    }

    fn inline(&mut self, text: &str) {
        for (place, part) in text.split('`').enumerate() {
            let is_code = place % 2 == 1;
            self.raw(if is_code { "<code>" } else { "" });
            self.text(part);
            self.raw(if is_code { "</code>" } else { "" });
        }
    }

    fn contents(&mut self, operations: &[Operation<'_>]) {
        self.raw("<nav>");
        for (place, operation) in operations.iter().enumerate() {
            if place == 0 || operations[place - 1].tag != operation.tag {
                self.raw("<h2>");
                self.text(operation.tag);
                self.raw("</h2>");
            }
            self.raw("<a href=\"#");
            self.text(operation.anchor());
            self.raw("\"><code>");
            self.text(&operation.method.to_uppercase());
            self.raw(" ");
            self.text(operation.path);
            self.raw("</code></a>");
        }
        self.raw("</nav>");
    }

    fn operation(&mut self, operation: &Operation<'_>) {
        self.raw("<section id=\"");
        self.text(operation.anchor());
        self.raw("\"><h3><b>");
        self.text(&operation.method.to_uppercase());
        self.raw("</b> <code>");
        self.text(operation.path);
        self.raw("</code></h3>");
        self.prose(&operation.value["summary"]);
        self.prose(&operation.value["description"]);
        self.parameters(&operation.value["parameters"]);
        let body = &operation.value["requestBody"]["content"];
        if body.is_object() {
            self.raw("<h4>Body</h4>");
            self.content(body);
        }
        self.raw("<h4>Answers</h4><table>");
        let responses = operation.value["responses"].as_object();
        for (status, response) in responses.into_iter().flatten() {
            self.raw("<tr><td>");
            self.text(status);
            self.raw("</td><td>");
            self.inline(response["description"].as_str().unwrap_or_default());
            if status.starts_with('2') {
                self.content(&response["content"]);
            }
            self.raw("</td></tr>");
        }
        self.raw("</table></section>");
    }

    fn parameters(&mut self, parameters: &Value) {
        let Some(parameters) = parameters.as_array().filter(|all| !all.is_empty()) else {
            return;
        };
        self.raw("<h4>Parameters</h4><table>");
        for parameter in parameters {
            self.raw("<tr><td><code>");
            self.text(parameter["name"].as_str().unwrap_or_default());
            self.raw("</code></td><td>");
            self.text(parameter["in"].as_str().unwrap_or_default());
            self.raw("</td><td>");
            self.inline(parameter["description"].as_str().unwrap_or_default());
            self.raw("</td></tr>");
        }
        self.raw("</table>");
    }

    fn content(&mut self, content: &Value) {
        for (kind, body) in content.as_object().into_iter().flatten() {
            self.raw("<p><code>");
            self.text(kind);
            self.raw("</code> ");
            self.schema(&body["schema"]);
            self.raw("</p>");
        }
    }

    /// A reference as a link to the shape, anything else as it stands in the description.
    fn schema(&mut self, schema: &Value) {
        let Some(name) = schema["$ref"].as_str().and_then(|r| r.rsplit('/').next()) else {
            if schema.is_object() {
                let text = serde_json::to_string_pretty(schema).unwrap_or_default();
                self.raw("<pre>");
                self.text(&text);
                self.raw("</pre>");
            }
            return;
        };
        self.raw("<a href=\"#shape-");
        self.text(name);
        self.raw("\">");
        self.text(name);
        self.raw("</a>");
    }

    fn shapes(&mut self, schemas: &Value) {
        self.raw("<section><h2>Shapes</h2>");
        for (name, schema) in schemas.as_object().into_iter().flatten() {
            self.raw("<h3 id=\"shape-");
            self.text(name);
            self.raw("\"><code>");
            self.text(name);
            self.raw("</code></h3>");
            self.schema(schema);
        }
        self.raw("</section>");
    }

    fn codes(&mut self) {
        self.raw("<section><h2>Problems</h2><table>");
        for code in code::ALL {
            // A `String` takes everything that is written to it.
            let _ = write!(self.0, "<tr id=\"problem-{}\">", code.word);
            let _ = write!(
                self.0,
                "<td>{}</td><td><code>{}</code></td>",
                code.status, code.word
            );
            self.raw("<td>");
            self.inline(code.means);
            self.raw("</td></tr>");
        }
        self.raw("</table></section>");
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_page_shows_everything_and_lets_nothing_in() {
        let page = render(&json!({
            "info": {"description": "Hello `code`\n\n<script>"},
            "paths": {"/things": {"post": {
                "operationId": "make", "tags": ["things"], "summary": "Makes <b>one</b>",
                "responses": {"201": {"description": "Made"}}
            }}},
            "components": {"schemas": {"Thing": {"type": "object"}}}
        }));
        for part in [
            "<code>code</code>",
            "POST",
            "/things",
            "Makes &lt;b&gt;",
            "Made",
            "shape-Thing",
        ] {
            assert!(page.contains(part), "{part}");
        }
        assert!(page.contains("problem-username_taken"));
        for foreign in ["<script", "src=", "http://", "https://", "@import"] {
            assert!(!page.contains(foreign), "{foreign}");
        }
    }
}
