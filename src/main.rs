//! The command.
use ringstorm::{execution::Rig, scenario::*, subject::Kind};
fn main() {
    let mut rig = Rig::new().unwrap();
    let (mut steps, mut eff) = (0, 0);
    let t = std::time::Instant::now();
    let mut bad = 0;
    let mut cov = ringstorm::coverage::Coverage::default();
    for seed in 0..20000 {
        let s = generate(seed, Profile::Swarm, 128);
        let o = rig.run(Kind::Core, &s, &mut ()).unwrap();
        steps += o.steps; eff += o.effective_steps; cov.merge(&o.coverage);
        if o.is_finding() { bad += 1; if bad < 10 { println!("{seed} {} {} {}", o.signature("core"), o.verdict, o.step); } }
    }
    println!("{bad} {steps} {eff} {:?} cov {}/{}", t.elapsed(), cov.pairs_hit(), ringstorm::coverage::Coverage::pairs_total());
}
