//! A finding as a test.

use ringstorm::execution::Rig;
use ringstorm::scenario::{Document, Step};
use ringstorm::story::{must_pass, test_of};
use ringstorm::subject::Kind;
use std::panic::catch_unwind;

const MISUSE: &str = "ringstorm scenario 1\nqueue size=4 buffer=64\ndriver submit readable=1x8 writable=2x8\n\
                      driver misuse free mid-chain newest\n";

fn naive() -> Kind {
    Kind::by_name("specimen-mid-chain-freed").expect("a specimen")
}

#[test]
fn a_subject_must_stand_a_scenario() {
    must_pass(Kind::Core, MISUSE);
    let failure = catch_unwind(|| must_pass(naive(), MISUSE)).expect_err("the specimen does not");
    let told = failure.downcast::<String>().expect("a story");
    assert!(told.contains(">  1  driver misuse free mid-chain newest"), "{told}");
    assert!(told.contains("violation of misuse-refused"), "{told}");
    let failure = catch_unwind(|| must_pass(Kind::Core, "ringstorm scenario 1\n")).expect_err("no scenario");
    assert!(failure.downcast::<String>().expect("words").contains("line 2"));
}

#[test]
fn the_test_to_paste_holds_the_scenario_or_names_its_file() {
    let mut scenario = MISUSE.parse::<Document>().expect("a scenario").scenario;
    let outcome = Rig::new().expect("memory").run(naive(), &scenario, &mut ()).expect("a run");
    let signature = outcome.signature(&naive().name());
    let short = test_of(naive(), &signature, &scenario, "x.storm");
    insta::assert_snapshot!(short, @r#"
    use ringstorm::{story::must_pass, subject::Kind};

    #[test]
    fn specimen_mid_chain_freed_violation_misuse_refused_free_no_fault() {
        let scenario = "\
            ringstorm scenario 1\n\
            queue size=4 buffer=64\n\
            driver submit readable=1x8 writable=2x8\n\
            driver misuse free mid-chain newest\n\
        ";
        must_pass(Kind::by_name("specimen-mid-chain-freed").unwrap(), scenario);
    }
    "#);
    scenario.steps.extend([Step::Idle; 20]);
    let long = test_of(Kind::Core, &signature, &scenario, "found/a \"b\".storm");
    assert!(long.contains(r#"must_pass(Kind::Core, include_str!("a \"b\".storm"));"#), "{long}");
    assert!(long.contains(r#"// A copy of found/a "b".storm, beside this test."#), "{long}");
}
