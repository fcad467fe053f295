//! The page in a browser: every picture is there, the page logs and requests nothing, and untrusted text stays text.
//!
//! Without a browser, the tests are skipped with a message; with `RINGSTORM_BROWSER=required` they fail.

#[path = "../support/reports.rs"]
mod reports;

mod browser;

use browser::{Browser, NEEDED, View};
use reports::{calibration, found, hostile};
use ringstorm::report::{RunReport, page};
use serde_json::json;
use std::process::Command;

const VIEWS: [View; 3] = [
    View { width: 1200, scheme: "light" },
    View { width: 1200, scheme: "dark" },
    View { width: 390, scheme: "light" },
];

/// Opens the page of a report in each view.
fn look(browser: &mut Browser, report: &RunReport, look: impl Fn(&mut Browser, View)) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("report.html");
    std::fs::write(&path, page(report, Some(&calibration())).expect("a page")).expect("it can be written");
    for view in VIEWS {
        browser.open(&path, view);
        look(browser, view);
        assert_eq!(browser.requests(), [format!("file://{}", path.display())], "{view:?}");
        let logged = browser.logged();
        assert!(logged.is_empty(), "{view:?}: {logged:#?}");
    }
}

#[test]
fn every_picture_is_there_and_the_page_requests_nothing() {
    let Some(mut browser) = Browser::start() else { return };
    let report = found();
    look(&mut browser, &report, |browser, view| {
        let sized = "(selector) => [...document.querySelectorAll(selector)].filter(one => { \
             const box = one.getBoundingClientRect(); return box.width > 5 && box.height > 5 }).length";
        let mut count = |selector: &str| browser.value(&format!("({sized})({selector:?})"));
        assert_eq!(count("svg.heat"), 1, "{view:?}");
        assert_eq!(count("svg.heat rect"), report.coverage.pairs_total, "{view:?}");
        assert_eq!(count(".lanes svg.picture"), report.findings.len(), "{view:?}");
        assert_eq!(count(".speed svg"), 1, "{view:?}");
        assert_eq!(count("svg.bar"), report.counts.faults.len(), "{view:?}");
        assert_eq!(count("#calibration tbody tr"), 2, "{view:?}");
        let drawn = ["rect.available", "rect.device", "path.thrown", "line.end", "text.wrong"];
        for kind in drawn {
            let marks = browser.value(&format!("document.querySelectorAll('.lanes {kind}').length"));
            assert!(marks.as_u64() > Some(0), "{kind}: {view:?}");
        }
        // Wide pictures and tables scroll in their box; the page does not.
        assert_eq!(browser.value("document.documentElement.scrollWidth <= innerWidth"), true, "{view:?}");
        let ground = browser.value("getComputedStyle(document.body).backgroundColor");
        let white = json!("rgb(255, 255, 255)");
        assert_eq!(ground == white, view.scheme == "light", "{view:?}: {ground}");
    });
}

#[test]
fn a_tap_on_a_step_shows_its_note() {
    let Some(mut browser) = Browser::start() else { return };
    look(&mut browser, &found(), |browser, _| {
        let note = "document.querySelector('.lanes output').textContent";
        assert!(browser.value(note).as_str().is_some_and(|last| !last.starts_with('0')));
        browser.value("document.querySelector('.column').dispatchEvent(new Event('click', {bubbles: true}))");
        let first = browser.value("document.querySelector('.column title').textContent");
        assert_eq!(browser.value(note), first);
        assert!(first.as_str().is_some_and(|first| first.starts_with("0  ")), "{first}");
        assert_eq!(browser.value("document.querySelectorAll('.chosen').length"), 1);
    });
}

#[test]
fn untrusted_text_stays_text() {
    let Some(mut browser) = Browser::start() else { return };
    look(&mut browser, &hostile(), |browser, _| {
        assert_eq!(browser.value("document.scripts.length"), 1);
        for made in ["img", "b[onclick]", "iframe", "[onload]", "[onerror]", "[onclick]"] {
            assert_eq!(browser.value(&format!("document.querySelectorAll('{made}').length")), 0, "{made}");
        }
        let text = browser.value("document.body.textContent");
        let text = text.as_str().expect("a text");
        for shown in
            ["<script>alert(1)</script> & \"quoted\"", "\\u{202e}", "\\u{1b}", "\\u{0}", "<img src=x"]
        {
            assert!(text.contains(shown), "{shown}");
        }
        assert!(!text.contains(['\u{202e}', '\u{1b}', '\u{feff}']));
    });
}

/// A picture that is wider than its box opens at the violation, beside the names of the lanes.
#[test]
fn a_wide_picture_opens_at_the_violation() {
    let Some(mut browser) = Browser::start() else { return };
    let mut report = found();
    let timeline = report.findings[0].timeline.as_mut().expect("a timeline");
    let first = timeline.moments[0].clone();
    timeline.moments.splice(0..0, std::iter::repeat_n(first, 100));
    look(&mut browser, &report, |browser, view| {
        let within = "(selector) => { const box = document.querySelector('.lanes .wide').getBoundingClientRect(); \
             const one = document.querySelector('.lanes ' + selector).getBoundingClientRect(); \
             return one.left >= box.left - 1 && one.right <= box.right + 1 }";
        for selector in ["line.end", "text.lane", "text.wrong"] {
            let seen = browser.value(&format!("({within})({selector:?})"));
            assert_eq!(seen, true, "{selector}: {view:?}");
        }
        assert_eq!(browser.value(&format!("({within})('.column')")), false, "it is a wide one: {view:?}");
        assert_eq!(browser.value("document.querySelector('.moments tr:last-child').className"), "wrong");
        assert_eq!(
            browser.value("document.querySelectorAll('.moments')[0].querySelectorAll('.wrong').length"),
            1
        );
    });
}

/// The page forbids every script but its own, and every request.
#[test]
fn the_page_forbids_foreign_scripts_and_requests() {
    let Some(mut browser) = Browser::start() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("report.html");
    let foreign =
        "<script>document.title = 'changed'</script><img src=\"https://example.invalid/x.png\"></body>";
    let html = page(&found(), None).expect("a page").replace("</body>", foreign);
    std::fs::write(&path, html).expect("it can be written");
    browser.open(&path, VIEWS[0]);
    assert_ne!(browser.value("document.title"), "changed");
    let logged = browser.logged_at_least(2);
    for word in ["script-src", "img-src"] {
        assert!(logged.iter().any(|entry| entry.to_string().contains(word)), "{word}: {logged:#?}");
    }
}

/// Runs a test of this program where no browser can be found.
#[test]
fn without_a_browser_tests_are_skipped_with_a_message() {
    let nowhere = tempfile::tempdir().expect("a folder");
    let mut tests = Command::new(std::env::current_exe().expect("this program"));
    tests.args(["--exact", "untrusted_text_stays_text"]).env("PATH", nowhere.path());
    let left = tests.env_remove(NEEDED).output().expect("it starts");
    let said = String::from_utf8_lossy(&left.stderr);
    assert!(left.status.success() && said.starts_with("skipped: none of chromium, "), "{left:?}");
    let left = tests.env(NEEDED, "required").output().expect("it starts");
    assert!(!left.status.success(), "{left:?}");
}
