//! vi keys, as they are pressed.

use super::*;

#[test]
fn vi_keys_move() {
    for (before, keys, after) in [
        ("¦abc\nd", "ll", "ab¦c\nd"),
        ("¦abc\nd", "10l", "ab¦c\nd"),
        ("a¦bc\nd", "j", "abc\n¦d"),
        ("¦foo bar.baz", "w", "foo ¦bar.baz"),
        ("¦foo bar.baz", "2w", "foo bar¦.baz"),
        ("¦foo\n  bar", "w", "foo\n  ¦bar"),
        ("¦foo bar", "e", "fo¦o bar"),
        ("foo b¦ar", "bb", "¦foo bar"),
        ("  f¦oo", "0", "¦  foo"),
        ("  fo¦o", "^", "  ¦foo"),
        ("¦foo", "$", "fo¦o"),
        ("a\nb\n¦c", "gg", "¦a\nb\nc"),
        ("¦a\nb\nc", "G", "a\nb\n¦c"),
        ("¦a\nb\nc", "2G", "a\n¦b\nc"),
        ("¦a(b)c", "l%", "a(b¦)c"),
        ("¦a-b-c", "f-;", "a-b¦-c"),
        ("¦a-b-c", "tb", "a¦-b-c"),
        ("a\n\nb¦\n\nc", "{", "a\n¦\nb\n\nc"),
    ] {
        vi(before, keys, after);
    }
}

#[test]
fn vi_keys_edit() {
    for (before, keys, after) in [
        ("a¦b", "ix<esc>", "a¦xb"),
        ("¦ab", "ax<esc>", "a¦xb"),
        ("  a¦b", "Ix<esc>", "  ¦xab"),
        ("¦ab", "Ax<esc>", "ab¦x"),
        ("¦a\nb", "ox<esc>", "a\n¦x\nb"),
        ("a\n¦b", "Ox<esc>", "a\n¦x\nb"),
        ("¦abc", "x", "¦bc"),
        ("¦abc", "2x", "¦c"),
        ("ab¦c", "X", "a¦c"),
        ("¦abc", "rx", "¦xbc"),
        ("a\n¦b\nc", "dd", "a\n¦c"),
        ("¦a\nb\nc", "2dd", "¦c"),
        ("¦a\nb\nc", "ddp", "b\n¦a\nc"),
        ("¦a\nb", "yyp", "a\n¦a\nb"),
        ("¦a\nb", "yyjP", "a\n¦a\nb"),
        ("¦foo bar", "dw", "¦bar"),
        ("¦foo bar", "cwx<esc>", "¦x bar"),
        ("foo ¦bar baz", "d$", "foo¦ "),
        ("foo ¦bar", "D", "foo¦ "),
        ("¦foo bar", "de", "¦ bar"),
        ("¦foo bar", "ywP", "foo¦ foo bar"),
        ("f(¦a, b)", "dt)", "f(¦)"),
        ("¦a\nb\nc", "dG", "¦"),
        ("¦a\nb", "J", "a¦ b"),
        ("¦abc", "~", "A¦bc"),
        ("¦a\nb", ">>", "  ¦a\nb"),
        ("¦a\nb", "ccx<esc>", "¦x\nb"),
        ("¦abc", "vld", "¦c"),
        ("¦a\nb\nc", "Vjd", "¦c"),
        ("¦abc", "xu", "¦abc"),
        ("¦abc", "xu<C-r>", "¦bc"),
        ("¦foo\nbar foo", "/foo<enter>", "foo\nbar ¦foo"),
        ("¦foo\nfoo\nfoo", "*n", "foo\nfoo\n¦foo"),
        ("¦a b", ":s/a/x/<enter>", "¦x b"),
        ("¦a\na", ":%s/a/x/g<enter>", "¦x\nx"),
        ("¦a\nb\nc", ":3<enter>", "a\nb\n¦c"),
    ] {
        vi(before, keys, after);
    }
}

#[test]
fn vi_keys_know_words_quotes_brackets_and_paragraphs() {
    for (before, keys, after) in [
        ("foo b¦ar baz", "diw", "foo ¦ baz"),
        ("foo b¦ar baz", "daw", "foo ¦baz"),
        ("foo b¦ar", "daw", "fo¦o"),
        ("foo.b¦ar x", "diW", "¦ x"),
        ("foo b¦ar", "ciwx<esc>", "foo ¦x"),
        ("echo \"a ¦b\" c", "ci\"x<esc>", "echo \"¦x\" c"),
        ("e¦cho \"a b\" c", "di\"", "echo \"¦\" c"),
        ("echo 'a¦b' c", "da'", "echo ¦c"),
        ("x \"a\\\"¦b\"", "di\"", "x \"¦\""),
        ("f(a, (b), ¦c)", "di(", "f(¦)"),
        ("f(a, (¦b), c)", "da)", "f(a, ¦, c)"),
        ("f() {\n  a\n  ¦b\n}\n", "di{", "f() {\n¦}\n"),
        ("a[¦1]", "ci]2<esc>", "a[¦2]"),
        ("a\n\nb\n¦c\n\nd", "dip", "a\n\n¦\nd"),
        ("a\n\nb\n¦c\n\nd", "dap", "a\n\n¦d"),
        ("foo b¦ar baz", "viwd", "foo ¦ baz"),
        ("¦abc", "di(", "¦abc"),
    ] {
        vi(before, keys, after);
    }
}

#[test]
fn vi_keys_do_the_last_change_once_more() {
    for (before, keys, after) in [
        ("¦abcdef", "x.", "¦cdef"),
        ("¦abcdef", "x3.", "¦ef"),
        ("¦abcdef", "2x.", "¦ef"),
        ("¦a\nb\nc\nd", "dd.", "¦c\nd"),
        ("¦one two three", "cwx<esc>w.", "x ¦x three"),
        ("¦a\nb", "A!<esc>j.", "a!\nb¦!"),
        ("¦a\nb", "ox<enter>y<esc>.", "a\nx\ny\nx\n¦y\nb"),
        ("¦ab", "xu.", "¦b"),
        ("¦ab cd", "rxw.", "xb ¦xd"),
        ("¦abc", ".", "¦abc"),
        ("¦abcd", "ixy<bs><esc>.", "¦xxabcd"),
        ("¦one two three four", "dw..u", "¦three four"),
    ] {
        vi(before, keys, after);
    }
}

#[test]
fn vi_leaves_by_its_own_words_and_never_by_esc() {
    let mut session = at_mark("¦a");
    session.keys("<F4>ix<esc><esc><esc>");
    assert_eq!(session.app.view, View::Editor);
    session.keys(":w<enter>");
    assert_eq!(saves(&session), [(Some("9f3c1e27aa01".into()), "xa".into(), false)]);
    saved(&mut session, Ok(version("0b5")));
    session.keys(":q<enter>");
    assert_eq!(session.app.view, View::Overview);
}
