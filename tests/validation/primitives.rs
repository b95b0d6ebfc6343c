//! <https://hl7.org/fhir/R4/datatypes.html#primitive>

use serde_json::{Value, json};

use crate::support::{problems, told};

/// An extension with the value, of whatever primitive type.
fn with(property: &str, value: Value) -> Value {
    json!({"resourceType": "Patient", "extension": [{"url": "urn:x", property: value}]})
}

#[test]
fn legal_values_pass() {
    let legal = [
        (
            "valueDate",
            json!(["0001", "2020-12", "2020-02-29", "2000-02-29"]),
        ),
        (
            "valueDateTime",
            json!([
                "2020",
                "2020-12",
                "2020-12-31",
                "2020-12-31T23:59:60Z",
                "2020-12-31T00:00:00.123456789+14:00",
                "2020-12-31T00:00:00-12:30"
            ]),
        ),
        (
            "valueInstant",
            json!(["2015-02-07T13:28:17.239+02:00", "2017-01-01T00:00:00Z"]),
        ),
        ("valueTime", json!(["00:00:00", "23:59:60", "12:30:01.5"])),
        ("valueId", json!(["a", "A-1.b", "x".repeat(64)])),
        ("valueCode", json!(["final", "a b c", "ä", "1"])),
        ("valueUri", json!(["urn:x", "a", "http://a/b?c#d"])),
        (
            "valueOid",
            json!(["urn:oid:1.2.3", "urn:oid:2.16.840", "urn:oid:0.0"]),
        ),
        (
            "valueUuid",
            json!(["urn:uuid:c757873d-ec9a-4326-a141-556f43239520"]),
        ),
        (
            "valueBase64Binary",
            json!(["AAAA", "AAA=", "AA==", " AA\nAA ", "+/09"]),
        ),
        (
            "valueInteger",
            json!([0, -1, 2_147_483_647, -2_147_483_648_i64]),
        ),
        ("valuePositiveInt", json!([1, 2_147_483_647])),
        ("valueUnsignedInt", json!([0, 2_147_483_647])),
        (
            "valueString",
            json!(["a", " tab\tcr\rlf\n", "😀", "x".repeat(1024 * 1024)]),
        ),
        ("valueMarkdown", json!(["# a\n\n* b"])),
        ("valueBoolean", json!([true, false])),
        ("valueDecimal", json!([0, -1, 1])),
    ];
    for (property, values) in legal {
        for value in values.as_array().unwrap() {
            assert_eq!(
                problems(&with(property, value.clone())),
                [],
                "{property}: {value}"
            );
        }
    }
    for number in [
        "1.10",
        "-0.0",
        "1e-7",
        "1.5E+3",
        "123456789012345678901234567890.5",
    ] {
        let value: Value = serde_json::from_str(number).unwrap();
        assert_eq!(problems(&with("valueDecimal", value)), [], "{number}");
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn anything_else_is_told() {
    let illegal = [
        (
            "valueDate",
            json!([
                "0000",
                "20",
                "2020-13",
                "2020-00",
                "2020-1-1",
                "2019-02-29",
                "1900-02-29",
                "2020-04-31",
                "2020-01-01T00:00:00Z",
                "2020-",
                "2020-01-",
                " 2020",
                "01/02/2020",
                "２０２０"
            ]),
        ),
        (
            "valueDateTime",
            json!([
                "2020-01-01T00:00Z",
                "2020-01-01T00:00:00",
                "2020-01-01T24:00:00Z",
                "2020-01-01T00:60:00Z",
                "2020-01-01T00:00:61Z",
                "2020-01-01T00:00:00.Z",
                "2020-01-01T00:00:00+14:01",
                "2020-01-01T00:00:00+0100",
                "2020-01-01 00:00:00Z",
                "2020-01T00:00:00Z",
                "2020-02-30T00:00:00Z",
                "2020-01-01T00:00:00z"
            ]),
        ),
        (
            "valueInstant",
            json!(["2020", "2020-01-01", "2020-01-01T00:00:00"]),
        ),
        (
            "valueTime",
            json!(["24:00:00", "12:00", "12:00:00Z", "1:00:00"]),
        ),
        ("valueId", json!(["a_b", "a/b", "ä", "x".repeat(65)])),
        ("valueCode", json!([" a", "a ", "a  b", "a\tb"])),
        ("valueUri", json!(["a b", "a\n", "urn:\u{0}"])),
        ("valueUrl", json!(["http://a b"])),
        ("valueCanonical", json!(["http://a b"])),
        (
            "valueOid",
            json!([
                "1.2.3",
                "urn:oid:3.1",
                "urn:oid:1",
                "urn:oid:1.02",
                "urn:oid:1..2"
            ]),
        ),
        (
            "valueUuid",
            json!([
                "c757873d-ec9a-4326-a141-556f43239520",
                "urn:uuid:C757873D-EC9A-4326-A141-556F43239520",
                "urn:uuid:1"
            ]),
        ),
        (
            "valueBase64Binary",
            json!(["A", "AAA", "A===", "=AAA", "AA=A", "AA-_", " "]),
        ),
        (
            "valueInteger",
            json!([2_147_483_648_i64, -2_147_483_649_i64, 1.0, 1.5, 1e3]),
        ),
        ("valuePositiveInt", json!([0, -1])),
        ("valueUnsignedInt", json!([-1, 2_147_483_648_i64])),
        (
            "valueString",
            json!(["\u{1}", "a\u{b}b", "x".repeat(1024 * 1024 + 1)]),
        ),
        ("valueMarkdown", json!(["\u{c}"])),
    ];
    for (property, values) in illegal {
        for value in values.as_array().unwrap() {
            let expected = ("value".to_owned(), "Patient.extension[0].value".to_owned());
            assert_eq!(
                told(&with(property, value.clone())),
                [expected],
                "{property}: {value}"
            );
        }
    }
    let minus_zero: Value = serde_json::from_str("-0").unwrap();
    assert_eq!(problems(&with("valueInteger", minus_zero)).len(), 1);
}

/// <https://hl7.org/fhir/R4/narrative.html#xhtml>
#[test]
fn a_narrative_is_well_formed_and_harmless() {
    let narrative = |inside: &str| {
        let div = inside.replace("<div ", "<div xmlns=\"http://www.w3.org/1999/xhtml\" ");
        json!({"resourceType": "Patient", "text": {"status": "additional", "div": div}})
    };
    for right in [
        "<div >x</div>",
        "<div ><p class='a'>1 &lt; 2 &#160; &#xA0;<br/><b>x</b></p><!-- <p> --></div >",
        "<div ><a href=\"#x\" name=\"y\">z</a><img src=\"#i\" alt=\"\"/><div>in</div></div>",
        " <div ><table><tbody><tr><td colspan=\"2\" style=\"a: b\">x</td></tr></tbody></table></div>\n",
    ] {
        assert_eq!(problems(&narrative(right)), [], "{right}");
    }
    for wrong in [
        "text",
        "<p>x</p>",
        "<div>x</div>",
        "<div ><p>x</div>",
        "<div >x",
        "<div >x</div><div >y</div>",
        "<div >x</div>tail",
        "<div >a & b</div>",
        "<div >&nbsp;</div>",
        "<div >1 < 2</div>",
        "<div ><b class=x>y</b></div>",
        "<div ><b class=\"x\" class=\"y\">y</b></div>",
        "<div ><script>x</script></div>",
        "<div ><form/></div>",
        "<div ><p onclick=\"x()\">y</p></div>",
        "<div ><a href=\" JavaScript:x()\">y</a></div>",
        "<!DOCTYPE html><div >x</div>",
        "<div ><?x y?></div>",
    ] {
        let expected = ("value".to_owned(), "Patient.text.div".to_owned());
        assert_eq!(told(&narrative(wrong)), [expected], "{wrong}");
    }
}
