//! The XHTML of a narrative: well formed, in one `div`, and harmless where it
//! is shown. <https://hl7.org/fhir/R4/narrative.html#xhtml>

const NAMESPACE: &str = "http://www.w3.org/1999/xhtml";

/// Chapters 7 to 11 (without 9.4) and 15 of HTML 4.0, links and images.
#[rustfmt::skip]
const ELEMENTS: [&str; 56] = [
    "a", "abbr", "acronym", "address", "area", "b", "bdo", "big", "blockquote", "br",
    "caption", "cite", "code", "col", "colgroup", "dd", "dfn", "div", "dl", "dt",
    "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img",
    "kbd", "li", "map", "ol", "p", "pre", "q", "samp", "small", "span",
    "strike", "strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead",
    "tr", "tt", "u", "ul", "var", "s",
];

/// What to do where this is no narrative.
pub fn remedy(text: &str) -> Option<&'static str> {
    let mut reader = Reader {
        rest: text.trim_matches(is_space),
        open: Vec::new(),
    };
    reader.document().err()
}

type Checked = Result<(), &'static str>;

const NOT_CLOSED: &str = "close every tag: it is XML, and `<` in text is written `&lt;`";
const ENTITY: &str = "write `&` as `&amp;`, and any other character as itself: \
                      XML has no names such as &nbsp;";

struct Reader<'t> {
    rest: &'t str,
    open: Vec<&'t str>,
}

impl<'t> Reader<'t> {
    fn document(&mut self) -> Checked {
        if !self.rest.starts_with("<div") {
            return Err("put it into one <div xmlns=\"http://www.w3.org/1999/xhtml\">");
        }
        loop {
            let (text, tag) = self.rest.split_once('<').ok_or(NOT_CLOSED)?;
            entities(text)?;
            self.rest = tag;
            self.markup()?;
            if self.open.is_empty() {
                break;
            }
        }
        match self.rest.is_empty() {
            true => Ok(()),
            false => Err("put nothing behind the one <div> around it"),
        }
    }

    /// Behind a `<`.
    fn markup(&mut self) -> Checked {
        for (start, end) in [("!--", "-->"), ("![CDATA[", "]]>")] {
            if let Some(inside) = self.rest.strip_prefix(start) {
                let (_, behind) = inside.split_once(end).ok_or(NOT_CLOSED)?;
                self.rest = behind;
                return Ok(());
            }
        }
        if self.rest.starts_with(['!', '?']) {
            return Err("remove DOCTYPE and processing instructions");
        }
        if let Some(inside) = self.rest.strip_prefix('/') {
            let (name, behind) = inside.split_once('>').ok_or(NOT_CLOSED)?;
            self.rest = behind;
            let opened = self.open.pop();
            return (opened == Some(name.trim_end_matches(is_space)))
                .then_some(())
                .ok_or(NOT_CLOSED);
        }
        self.start_tag()
    }

    fn start_tag(&mut self) -> Checked {
        let name = self.name()?;
        if !ELEMENTS.contains(&name) {
            return Err(
                "keep to the basic formatting elements, links and images of HTML: \
                        no scripts, forms, frames, objects or styles of the document",
            );
        }
        let attributes = self.attributes()?;
        if self.open.is_empty() && !attributes.contains(&("xmlns", NAMESPACE)) {
            return Err("give the outermost <div> xmlns=\"http://www.w3.org/1999/xhtml\"");
        }
        if let Some(behind) = self.rest.strip_prefix('/') {
            self.rest = behind;
        } else {
            self.open.push(name);
        }
        self.rest = self.rest.strip_prefix('>').ok_or(NOT_CLOSED)?;
        Ok(())
    }

    /// Up to the `>` or `/>`.
    fn attributes(&mut self) -> Result<Vec<(&'t str, &'t str)>, &'static str> {
        let mut attributes: Vec<(&str, &str)> = Vec::new();
        loop {
            let inside = self.rest.trim_start_matches(is_space);
            let spaced = inside.len() < self.rest.len();
            self.rest = inside;
            if inside.starts_with(['>', '/']) {
                return Ok(attributes);
            }
            let attribute = self.attribute()?;
            if !spaced || attributes.iter().any(|(known, _)| *known == attribute.0) {
                return Err("part the attributes of a tag by spaces, each of them once");
            }
            attributes.push(attribute);
        }
    }

    fn attribute(&mut self) -> Result<(&'t str, &'t str), &'static str> {
        const QUOTES: &str = "write each attribute as name=\"value\"";
        let name = self.name().map_err(|_| QUOTES)?;
        let value = self.rest.trim_start_matches(is_space);
        let value = value.strip_prefix('=').ok_or(QUOTES)?;
        let value = value.trim_start_matches(is_space);
        let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
        let inside = quote.and_then(|q| value.strip_prefix(q)?.split_once(q));
        let (value, behind) = inside.ok_or(QUOTES)?;
        self.rest = behind;
        entities(value)?;
        if value.contains('<') {
            return Err(NOT_CLOSED);
        }
        let script = value.trim_start().get(..11).unwrap_or_default();
        if name.to_ascii_lowercase().starts_with("on") || script.eq_ignore_ascii_case("javascript:")
        {
            return Err("remove scripts and event attributes");
        }
        Ok((name, value))
    }

    fn name(&mut self) -> Result<&'t str, &'static str> {
        let part = |c: char| c.is_alphanumeric() || matches!(c, ':' | '_' | '-' | '.');
        let end = self.rest.find(|c| !part(c)).ok_or(NOT_CLOSED)?;
        let (name, behind) = self.rest.split_at_checked(end).ok_or(NOT_CLOSED)?;
        self.rest = behind;
        match name.starts_with(|c: char| c.is_alphabetic() || c == '_') {
            true => Ok(name),
            false => Err(NOT_CLOSED),
        }
    }
}

/// `&amp;` and its like, and characters by number.
fn entities(text: &str) -> Checked {
    if !text.as_bytes().contains(&b'&') {
        return Ok(());
    }
    for part in text.split('&').skip(1) {
        let (name, _) = part.split_once(';').ok_or(ENTITY)?;
        let number = name.strip_prefix('#').is_some_and(|number| {
            let code = match number.strip_prefix('x') {
                Some(hex) => u32::from_str_radix(hex, 16),
                None => number.parse(),
            };
            code.ok().and_then(char::from_u32).is_some()
        });
        if !number && !matches!(name, "amp" | "lt" | "gt" | "quot" | "apos") {
            return Err(ENTITY);
        }
    }
    Ok(())
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}
