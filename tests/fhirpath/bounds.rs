//! Nothing that a client writes holds the service up or brings it down.

use serde_json::{Value, json};
use unloop::fhir::definitions::r4;
use unloop::fhir::fhirpath::{Error, Evaluator, Expression, Item, Node};

fn evaluate(text: &str, input: &Value) -> Result<usize, Error> {
    let expression = Expression::parse(text)?;
    let node = Node::resource(r4(), input.as_object().unwrap()).unwrap();
    let evaluator = Evaluator::new(r4(), node, node);
    let found = expression.evaluate(&evaluator, Item::Node(node))?;
    Ok(found.len())
}

#[test]
fn numbers_that_do_not_fit_have_no_value() {
    let patient = json!({"resourceType": "Patient"});
    let empty = [
        "9223372036854775807 + 1",
        "999999999999999999999999999999.0 * 999999999999999999999999999999.0",
        "2.power(64)",
        "1.0 / 0.0",
        "1 mod 0",
        "(-1).sqrt()",
        "0.ln()",
        "1000.exp()",
        "@9999-12-31 + 1 day",
        "@2020-01-01 + 99999999999999 years",
    ];
    for text in empty {
        assert_eq!(evaluate(text, &patient), Ok(0), "{text}");
    }
    let long = format!("{}.0", "9".repeat(60));
    assert!(matches!(
        evaluate(&long, &patient),
        Err(Error::Syntax { .. })
    ));
    let number: Value = serde_json::from_str(
        r#"{"resourceType": "Observation", "valueQuantity": {"value": 1e999}}"#,
    )
    .unwrap();
    assert!(evaluate("value.value > 1", &number).is_err());
}

#[test]
fn deep_and_long_expressions_are_refused() {
    let patient = json!({"resourceType": "Patient"});
    let hostile = [
        format!("{}1{}", "(".repeat(5000), ")".repeat(5000)),
        format!("a{}", ".a".repeat(50_000)),
        format!("1{}", " + 1".repeat(50_000)),
        "-".repeat(50_000),
        "a[".repeat(50_000),
        "iif(".repeat(50_000),
    ];
    for text in hostile {
        assert!(matches!(
            evaluate(&text, &patient),
            Err(Error::Syntax { .. })
        ));
    }
    let longest = format!("a{}", ".a".repeat(300));
    assert_eq!(evaluate(&longest, &patient), Ok(0));
}

#[test]
fn endless_work_is_cut_off() {
    let names: Vec<Value> = (0..3000)
        .map(|i| json!({"family": i.to_string()}))
        .collect();
    let patient = json!({"resourceType": "Patient", "name": names});
    let hostile = [
        "name.where(%resource.name.exists($this.family = '-'))",
        "name.distinct()",
        "1.repeat($this + 1)",
        "'aa'.repeat($this.replace('a', 'aa'))",
    ];
    for text in hostile {
        assert_eq!(evaluate(text, &patient), Err(Error::TooComplex), "{text}");
    }
    assert_eq!(evaluate("name.family.distinct()", &patient), Ok(3000));
}

#[test]
fn nonsense_is_an_error_and_no_panic() {
    let patient = json!({"resourceType": "Patient", "birthDate": "no date", "active": "x"});
    for text in [
        "",
        "'",
        "@",
        "@T",
        "%",
        "$",
        "$x",
        "1 +",
        "a.",
        "a[",
        "é",
        "{",
        "/*",
        "nope()",
        "'\\u00'",
        "'\\ud800'",
        "@2020-13-01",
        "@2020-02-30",
        "exists(1, 2)",
    ] {
        let outcome = evaluate(text, &patient);
        assert!(
            matches!(outcome, Err(Error::Syntax { .. })),
            "{text}: {outcome:?}"
        );
    }
    assert_eq!(
        evaluate("birthDate > @2020", &patient),
        Err(Error::Evaluation("these two have no order".to_owned()))
    );
    assert!(evaluate("memberOf('x')", &patient).is_err());
    assert_eq!(evaluate("'é'.substring(1)", &patient), Ok(0));
}
