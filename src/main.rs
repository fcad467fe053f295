//! The `ringstorm` command: see [`ringstorm::cli`].

fn main() -> std::process::ExitCode {
    ringstorm::cli::main()
}
