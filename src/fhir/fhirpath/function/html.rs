//! What the XHTML of a narrative may hold: text and its format, nothing that acts.
//! <https://hl7.org/fhir/R4/narrative.html#xhtml>

/// The elements of HTML 4.0's chapters 7-11 (without 9.4) and 15, links and images.
const ELEMENTS: &[&str] = &[
    "address",
    "area",
    "map",
    "a",
    "abbr",
    "acronym",
    "b",
    "big",
    "blockquote",
    "br",
    "caption",
    "cite",
    "code",
    "col",
    "colgroup",
    "dd",
    "dfn",
    "div",
    "dl",
    "dt",
    "em",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "img",
    "li",
    "ol",
    "p",
    "pre",
    "q",
    "samp",
    "small",
    "span",
    "strong",
    "sub",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "tt",
    "ul",
    "var",
    "kbd",
    "bdo",
];

/// A `div` in well-formed XHTML of these elements, with text or an image in it.
pub fn is_narrative(text: &str) -> bool {
    Reader::default().read(text).is_some_and(|content| content)
}

#[derive(Default)]
struct Reader<'t> {
    open: Vec<&'t str>,
    content: bool,
    started: bool,
}

impl<'t> Reader<'t> {
    /// Whether there is content; none where it is not what a narrative may be.
    fn read(mut self, text: &'t str) -> Option<bool> {
        let mut rest = text.trim();
        while !rest.is_empty() {
            if let Some(comment) = rest.strip_prefix("<!--") {
                rest = comment.split_once("-->")?.1;
                continue;
            }
            if let Some(markup) = rest.strip_prefix('<') {
                let end = tag_end(markup)?;
                self.tag(markup.get(..end)?)?;
                rest = markup.get(end + 1..)?;
                continue;
            }
            let end = rest.find('<').unwrap_or(rest.len());
            let (plain, after) = rest.split_at(end);
            if self.open.is_empty() {
                return None;
            }
            self.content |= !plain.trim().is_empty();
            rest = after;
        }
        (self.started && self.open.is_empty()).then_some(self.content)
    }

    /// Between `<` and `>`.
    fn tag(&mut self, tag: &'t str) -> Option<()> {
        if let Some(name) = tag.strip_prefix('/') {
            return (self.open.pop()? == name.trim_end()).then_some(());
        }
        let (tag, closed) = match tag.strip_suffix('/') {
            Some(tag) => (tag, true),
            None => (tag, false),
        };
        let end = tag.find(char::is_whitespace).unwrap_or(tag.len());
        let (name, attributes) = tag.split_at(end);
        let root = self.open.is_empty();
        if root && (self.started || name != "div") || !ELEMENTS.contains(&name) {
            return None;
        }
        self.started = true;
        attributes_fit(attributes)?;
        self.content |= name == "img";
        if !closed {
            self.open.push(name);
        }
        Some(())
    }
}

/// The `>` that is not inside quotes.
fn tag_end(markup: &str) -> Option<usize> {
    let mut quote = None;
    for (at, letter) in markup.char_indices() {
        match (quote, letter) {
            (None, '>') => return Some(at),
            (None, '"' | '\'') => quote = Some(letter),
            (Some(open), _) if open == letter => quote = None,
            _ => {}
        }
    }
    None
}

/// No event handlers and no scripts as addresses.
fn attributes_fit(mut rest: &str) -> Option<()> {
    loop {
        rest = rest.trim_start();
        if rest.is_empty() {
            return Some(());
        }
        let (name, after) = rest.split_once('=')?;
        let name = name.trim_end().to_ascii_lowercase();
        let after = after.trim_start();
        let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let (value, after) = after.strip_prefix(quote)?.split_once(quote)?;
        let address = matches!(
            name.as_str(),
            "href" | "src" | "cite" | "longdesc" | "usemap"
        );
        if name.starts_with("on") || address && acts(value) {
            return None;
        }
        rest = after;
    }
}

/// An address that runs a script, also one that hides it in character references.
fn acts(address: &str) -> bool {
    let plain = |c: &char| !c.is_whitespace() && !c.is_control();
    let address: String = address.chars().filter(plain).collect();
    let address = address.to_ascii_lowercase();
    let scheme = address.split(['/', '?', ':']).next().unwrap_or_default();
    let script = ["javascript", "vbscript"]
        .iter()
        .any(|s| scheme.starts_with(s));
    script || scheme.contains("&#")
}
