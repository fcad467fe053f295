//! Subjects that know their chains by tokens: the harness finds the heads in the available ring.

use crate::scenarios::{run, scenario, subject};
use ringstorm::execution::CannotRun;
use ringstorm::outcome::{Expected, Outcome};
use ringstorm::scenario::{Profile, Setup, generate};
use ringstorm::subject::{
    Answer, Capabilities, Completion, Defect, Geometry, HandleAge, MisuseKind, Provided, Refusal, Specimen,
    Subject, SubjectKind,
};
use ringstorm_model::Invariant;
use strum::VariantArray;

/// How the adapter names chains.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Names {
    Heads,
    /// The smallest number from 1000 on that no live chain has, so numbers are used again.
    Tokens,
    /// The same token for all chains, and `take_back` returns it again and again.
    OneToken,
    /// `take` returns tokens that were never given.
    WrongTokens,
}

/// A queue that publishes each chain in `submit`, or in `publish`.
struct Adapter {
    queue: Specimen,
    names: Names,
    /// By token minus 1000: the head of the live chain.
    heads: Vec<Option<u16>>,
    /// Whether `submit` publishes. Then `publish` always asks for a notification.
    at_once: bool,
}

const FIRST: u16 = 1000;

impl Adapter {
    fn new(defect: Option<Defect>, names: Names, at_once: bool, setup: &Setup, provided: &Provided) -> Self {
        let queue = Specimen::new(defect, setup, provided);
        Self { queue, names, heads: Vec::new(), at_once }
    }

    /// The name of the chain at `head` in answers of the queue.
    fn name(&self, head: u16) -> u16 {
        match self.names {
            Names::Heads => head,
            Names::Tokens | Names::OneToken => {
                let place = self.heads.iter().position(|other| *other == Some(head));
                place.map_or(u16::MAX, |place| FIRST + place as u16)
            }
            Names::WrongTokens => 7,
        }
    }

    /// The head of a chain that the harness names.
    fn head(&self, name: u16) -> Answer<u16> {
        if self.names == Names::Heads {
            return Ok(name);
        }
        let head = name.checked_sub(FIRST).and_then(|place| *self.heads.get(usize::from(place))?);
        head.ok_or(Refusal::Misuse(MisuseKind::BadHead))
    }

    fn forget(&mut self, name: u16) {
        if self.names != Names::Heads {
            self.heads[usize::from(name - FIRST)] = None;
        }
    }
}

impl Subject for Adapter {
    fn geometry(&self) -> Geometry {
        self.queue.geometry()
    }

    fn submit(&mut self, readable: &[&[u8]], writable: &[u32]) -> Answer<u16> {
        let head = self.queue.submit(readable, writable)?;
        if self.at_once {
            self.queue.publish();
        }
        if self.names == Names::OneToken {
            self.heads = vec![Some(head)];
        } else if self.names != Names::Heads {
            let free = self.heads.iter().position(Option::is_none).unwrap_or(self.heads.len());
            self.heads.resize(self.heads.len().max(free + 1), None);
            self.heads[free] = Some(head);
            return Ok(FIRST + free as u16);
        }
        Ok(self.name(head))
    }

    fn publish(&mut self) -> bool {
        self.at_once || self.queue.publish()
    }

    fn take(&mut self) -> Answer<Option<Completion>> {
        let answer = self.queue.take();
        match answer {
            Ok(Some(Completion { head, length })) => Ok(Some(Completion { head: self.name(head), length })),
            Err(Refusal::Device(mut refusal)) => {
                refusal.returned = refusal.returned.map(|head| self.name(head));
                Err(Refusal::Device(refusal))
            }
            other => other,
        }
    }

    fn read(&mut self, name: u16, out: &mut [u8]) -> Answer<usize> {
        self.queue.read(self.head(name)?, out)
    }

    fn free(&mut self, name: u16, age: HandleAge) -> Answer<()> {
        self.queue.free(self.head(name)?, age)?;
        self.forget(name);
        Ok(())
    }

    /// The caller of the tests that take chains back has taken none of them.
    fn take_back(&mut self, _: bool) -> Option<u16> {
        let place = self.heads.iter().position(Option::is_some)?;
        match self.names {
            Names::OneToken | Names::WrongTokens => {}
            Names::Heads | Names::Tokens => self.heads[place] = None,
        }
        Some(FIRST + place as u16)
    }

    fn free_count(&self) -> u32 {
        self.queue.free_count()
    }

    fn set_used_notifications(&mut self, wanted: bool) -> Option<bool> {
        self.queue.set_used_notifications(wanted)
    }

    fn reset(&mut self, first_index: u16) {
        self.queue.reset(first_index);
        self.heads.clear();
    }

    fn release(self: Box<Self>) {
        Box::new(self.queue).release();
    }
}

/// What such a queue can do, if it publishes each chain in `submit`.
const AT_ONCE: Capabilities = Capabilities {
    prepare: false,
    withdraw: false,
    write_in_place: false,
    stale_handles: false,
    keeps_memory: false,
    exact: false,
    unwinds: false,
    ..SubjectKind::Specimen(None).capabilities()
};

fn own(defect: Option<Defect>, names: Names, prepare: bool) -> SubjectKind {
    // A wrong token does not reach the queue.
    let misuse = defect.is_none();
    let can = Capabilities { tokens: names != Names::Heads, prepare, misuse, ..AT_ONCE };
    subject("token", can, move |setup, provided| {
        Box::new(Adapter::new(defect, names, !prepare, setup, provided))
    })
}

/// Each scenario has the same outcome and the same trace hash with tokens as with heads, with and without a defect.
#[test]
fn tokens_change_no_outcome() {
    let defects = Defect::VARIANTS.iter().map(|defect| (Some(*defect), 12));
    for (defect, seeds) in [(None, 400)].into_iter().chain(defects) {
        let [heads, tokens] = [Names::Heads, Names::Tokens].map(|names| own(defect, names, false));
        for seed in 0..seeds {
            let scenario = generate(seed, Profile::VARIANTS[seed as usize % 3], 64);
            let expected = run(heads, &scenario).expect("a run");
            let outcome = run(tokens, &scenario).expect("a run");
            // A chain that does not exist has no token, and one that is not published has no head.
            let unknown = outcome.verdict.to_string().contains("token");
            if unknown && expected.is_finding() {
                continue;
            }
            assert_eq!(outcome, expected, "{defect:?} seed {seed}");
            assert!(defect.is_some() || !outcome.is_finding(), "seed {seed}: {}", outcome.verdict);
        }
    }
}

/// A queue that publishes in `publish` is told to publish in each step that submits a chain.
#[test]
fn tokens_with_publish() {
    let right = own(None, Names::Tokens, true);
    let mut found = 0;
    for seed in 0..400 {
        let scenario = generate(seed, Profile::VARIANTS[seed as usize % 3], 64);
        let outcome = run(right, &scenario).expect("a run");
        assert!(!outcome.is_finding(), "seed {seed}: {}", outcome.verdict);
        let defect = own(Some(Defect::PayloadMisplaced), Names::Tokens, true);
        found += u32::from(run(defect, &scenario).expect("a run").is_finding());
    }
    assert!(found > 100, "{found}");
    let steps = "driver prepare readable=1x8\ndriver submit readable=1x8\ndevice take\ndevice return newest";
    assert_eq!(run(right, &scenario(steps)).expect("a run").skipped_steps, 1);
    // What `submit` and `publish` store is judged.
    for (defect, invariant) in [
        (Defect::IndexBeforeEntry, Invariant::AvailableOrder),
        (Defect::LastBufferOffByOne, Invariant::BuffersRegistered),
    ] {
        let kind = own(Some(defect), Names::Tokens, true);
        let mut outcomes =
            (0..200).map(|seed| run(kind, &generate(seed, Profile::Swarm, 64)).expect("a run"));
        let found = outcomes.find(Outcome::is_finding).map(|outcome| Expected::of(&outcome.verdict));
        assert_eq!(found, Some(Expected::Violation(invariant)));
    }
}

/// The outcome of two chains in flight, of which the device returns one.
fn two_chains(names: Names) -> Result<Outcome, CannotRun> {
    let submit = "driver submit readable=1x8";
    let steps = format!("{submit}\n{submit}\ndevice take count=2\ndevice return newest\ndriver take");
    run(own(None, names, false), &scenario(&steps))
}

#[test]
fn tokens_that_no_chain_has() {
    let outcome = two_chains(Names::WrongTokens).expect("a run");
    insta::assert_snapshot!(outcome.verdict, @"violation of completed-once: take returned token 7, but no live chain has this token");
    let wrong = two_chains(Names::OneToken).expect_err("two chains with a token");
    insta::assert_snapshot!(wrong, @"the adapter is wrong, so nothing is known about its queue: its `submit` returned the token 1000 for the chain at descriptor 1, but the live chain at descriptor 0 still has this token (in step 1, submit)");
}

/// Chains are taken back by their tokens, each one once.
#[test]
fn tokens_of_chains_that_are_taken_back() {
    let can = Capabilities { tokens: true, take_back: true, free_count: false, ..AT_ONCE };
    let submit = "driver submit readable=1x8";
    let outcome = |names, steps: &str| {
        let own = subject("token", can, move |setup, provided| {
            Box::new(Adapter::new(None, names, true, setup, provided))
        });
        run(own, &scenario(steps)).expect("a run")
    };
    let twice = format!("{submit}\n{submit}\ndriver take-back\n{submit}\ndriver take-back");
    let right = outcome(Names::Tokens, &twice);
    assert!(!right.is_finding(), "{}", right.verdict);
    assert_eq!(right.skipped_steps, 0);
    let once = format!("{submit}\ndriver take-back");
    insta::assert_snapshot!(outcome(Names::OneToken, &once).verdict, @"violation of completed-once: take_back returned token 1000, but no live chain has this token");
}

/// A queue that does not publish what it accepts.
#[test]
fn a_chain_that_is_not_published_has_no_head() {
    let can = Capabilities { tokens: true, should_notify: false, ..AT_ONCE };
    let own = subject("late", can, |setup, provided| {
        Box::new(Adapter::new(None, Names::Tokens, false, setup, provided))
    });
    let outcome = run(own, &scenario("driver submit readable=1x8"));
    insta::assert_snapshot!(outcome.expect("a run").verdict, @"violation of available-order: submit accepted a chain, token 1000, but after submit the available index was still 0; expected a move by 1");
}

#[test]
fn capabilities_that_need_heads() {
    let can = Capabilities { tokens: true, unwinds: true, ..AT_ONCE };
    let own = subject("both", can, |setup, provided| {
        Box::new(Adapter::new(None, Names::Tokens, true, setup, provided))
    });
    let wrong = run(own, &scenario("settle"));
    insta::assert_snapshot!(wrong.expect_err("refused"), @"the adapter is wrong, so nothing is known about its queue: its capabilities include `tokens` and `unwinds`, which needs heads (when the queue was constructed)");
}
