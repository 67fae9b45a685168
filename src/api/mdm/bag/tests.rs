//! The bag, held against every encoding that real clients send, and against what nobody should.

use proptest::prelude::*;

use super::*;

async fn bag(query: &str, kind: Option<&str>, body: &str) -> Result<Bag, Fault> {
    Bag::read(query, kind, Bytes::copy_from_slice(body.as_bytes())).await
}

const PARTS: &str = "--cut\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nSay hi\r\n\
    --cut\r\nContent-Disposition: form-data; name=\"variable_support\"\r\n\r\n1\r\n\
    --cut\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.sh\"\r\n\r\n#!/bin/sh\r\necho h\u{e9}\n\r\n--cut--\r\n";

#[tokio::test]
async fn the_same_stands_in_every_encoding() {
    let script = "%23%21%2Fbin%2Fsh%0D%0Aecho+h%C3%A9%0A";
    let form = format!("name=Say+hi&variable_support=1&file={script}");
    let json = r##"{"name": "Say hi", "variable_support": true, "file": "#!/bin/sh\r\necho hé\n"}"##;
    for (query, kind, body) in [
        (form.as_str(), None, ""),
        ("", Some("application/x-www-form-urlencoded"), form.as_str()),
        ("", None, &form),
        ("", Some("application/json; charset=utf-8"), json),
        ("", None, json),
        ("", Some("multipart/form-data; boundary=cut"), PARTS),
        ("", Some("application/json"), PARTS),
        ("", None, PARTS),
        ("name=Say+hi&variable_support=True", Some("application/json"), PARTS),
        ("limit=100&name=outweighed", None, json),
    ] {
        let bag = bag(query, kind, body).await.unwrap();
        assert_eq!(bag.text("name").unwrap().as_deref(), Some("Say hi"), "{kind:?} {body}");
        assert_eq!(bag.flag("variable_support").unwrap(), Some(true));
        assert_eq!(bag.bytes("file").unwrap().unwrap(), "#!/bin/sh\r\necho h\u{e9}\n".as_bytes());
    }
}

#[tokio::test]
async fn a_list_is_written_in_five_ways() {
    let form = Some("application/x-www-form-urlencoded");
    for (kind, body) in [
        (form, "ids=1%2C2%2C3"),
        (form, "ids=1,2&ids=3,2"),
        (form, "ids[]=1&ids%5B%5D=2&ids[]=3"),
        (None, r#"{"ids": ["1", "2", 3]}"#),
        (None, r#"{"ids": "1, 2, 3,"}"#),
    ] {
        assert_eq!(bag("", kind, body).await.unwrap().ids("ids").unwrap(), [1, 2, 3], "{body}");
    }
    for wrong in ["ids=1,x", "ids=-1", "ids=0", "ids=1.5", "ids=99999999999999999999", "ids=1;2"] {
        let fault = bag(wrong, None, "").await.unwrap().ids("ids").unwrap_err();
        assert!(fault.title.contains("is not an id"), "{wrong}: {}", fault.title);
    }
    assert!(bag("", None, r#"{"ids": [[1]]}"#).await.unwrap().ids("ids").is_err());
    assert_eq!(bag("", None, "ids=").await.unwrap().ids("ids").unwrap(), Vec::<u64>::new());
    let params = bag("params[a]=1", None, r#"{"params": {"b": 2}}"#).await.unwrap();
    assert_eq!(params.pairs("params").unwrap(), [("a".into(), "1".into()), ("b".into(), "2".into())]);
}

#[tokio::test]
async fn yes_and_no_have_many_words() {
    for (word, flag) in [("1", true), ("TRUE", true), ("on", true), ("False", false), ("0", false)] {
        assert_eq!(bag(&format!("x={word}"), None, "").await.unwrap().flag("x").unwrap(), Some(flag));
    }
    assert!(bag("x=2", None, "").await.unwrap().flag("x").is_err());
    assert_eq!(bag("x=", None, "").await.unwrap().flag("x").unwrap(), None);
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_with_the_reason() {
    let cut = &PARTS[..PARTS.len() - 20];
    let deep = format!("{{\"a\": {}1{}}}", "[".repeat(5000), "]".repeat(5000));
    let many = format!("{{\"a\": [{}1]}}", "1,".repeat(VALUES));
    let fields = "a=1&".repeat(FIELDS + 1);
    for (kind, body, says) in [
        (Some("multipart/form-data; boundary=cut"), cut, "it was cut off"),
        (Some("multipart/form-data"), PARTS, "names no boundary"),
        (Some("application/json"), "{", "not JSON"),
        (Some("application/json"), "[1]", "must be an object"),
        (Some("application/json"), &deep, "nests deeper"),
        (Some("application/json"), &many, "holds more than"),
        (None, &fields, "more than 1000 parameters"),
        (Some("text/xml"), "<a/>", "type text/xml is not understood"),
        (Some("application/json"), "--", "neither JSON nor multipart"),
    ] {
        let fault = bag("", kind, body).await.unwrap_err();
        assert!(fault.title.contains(says), "{says}: {}", fault.title);
    }
}

proptest! {
    #[test]
    fn nothing_that_comes_breaks_it(query in "\\PC{0,80}", kind in "\\PC{0,40}", body in proptest::collection::vec(any::<u8>(), 0..300)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        for kind in [Some(kind.as_str()), Some("application/json"), Some("multipart/form-data; boundary=x"), None] {
            if let Ok(bag) = runtime.block_on(Bag::read(&query, kind, Bytes::copy_from_slice(&body))) {
                let _ = (bag.text("a"), bag.ids("a"), bag.pairs("a"), bag.flag("a"));
            }
        }
    }

    #[test]
    fn what_a_form_escapes_comes_back(text in proptest::collection::vec(any::<u8>(), 0..200)) {
        let escaped: String = text.iter().map(|byte| format!("%{byte:02X}")).collect();
        prop_assert_eq!(decoded(escaped.as_bytes()), text);
    }
}
