//! The guide for adapters is complete.

use ringstorm::subject::Capabilities;

const GUIDE: &str = include_str!("../src/subject/guide.md");

/// A new capability needs a row.
#[test]
fn the_table_of_the_guide_names_every_capability() {
    let all = format!("{:?}", Capabilities::NONE);
    let fields = all.trim_start_matches("Capabilities {").trim_end_matches('}').split(',');
    let names: Vec<&str> = fields.map(|field| field.split(':').next().unwrap_or_default().trim()).collect();
    assert!(names.len() > 30 && names.contains(&"policies"), "{names:?}");
    let rows: Vec<&str> =
        GUIDE.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    for name in &names {
        assert_eq!(rows.iter().filter(|row| *row == name).count(), 1, "the guide has no row for `{name}`");
    }
}

/// Guide and examples need one crate.
#[test]
fn the_examples_of_the_guide_use_only_ringstorm() {
    for text in [GUIDE, include_str!("../examples/own_queue.rs"), include_str!("../examples/full_queue.rs")] {
        let used = text.lines().filter(|line| line.trim_start().starts_with("use "));
        for line in used {
            let own = ["use ringstorm::", "use std::"];
            assert!(own.iter().any(|start| line.trim_start().starts_with(start)), "{line}");
        }
        for other in ["ringstorm_core::", "ringstorm_model::", "ringstorm_sim_device::"] {
            assert!(!text.contains(other), "{other}");
        }
    }
}
