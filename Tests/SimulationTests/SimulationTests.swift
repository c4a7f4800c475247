import Glibc
import Testing

/// Devices, hub and a hostile network on one thread from one seed (the invariants of what must never happen: 1, 2 and 3).
///
/// `SIM_SEED=123` (and `SIM_DEVICES=5`, `SIM_RESTORES=1`, `SIM_SIGN_OUTS=1` or `SIM_DECISIONS=1`) replays one run,
/// `SIM_SEEDS=10000` runs more of them.
@Suite("The simulated floor")
struct SimulationTests {
    private static let total = number("SIM_SEEDS") ?? 1000
    private static let batches = 20
    /// What has a run in this mood replayed.
    private static let variables: [SimMood: String] = [
        .restores: "SIM_RESTORES", .signOuts: "SIM_SIGN_OUTS", .decisions: "SIM_DECISIONS",
    ]

    private static func number(_ name: String) -> Int? {
        getenv(name).flatMap { Int(String(cString: $0)) }
    }

    private func run(_ seed: Int, devices: Int, acts: Int, mood: SimMood = .mixed) throws {
        let failures = try Simulation(seed: UInt64(seed), devices: devices, acts: acts, mood: mood).run()
        let variable = Self.variables[mood].map { $0 + "=1 " } ?? ""
        for failure in failures {
            Issue.record("\(variable)SIM_SEED=\(seed) SIM_DEVICES=\(devices) SIM_ACTS=\(acts): \(failure)")
        }
    }

    @Test("loses nothing, doubles nothing, shows nothing to the blind: three to five devices", arguments: 0..<batches)
    func few(batch: Int) throws {
        if let seed = Self.number("SIM_SEED") {
            guard batch == 0, Self.variables.values.allSatisfy({ getenv($0) == nil }) else { return }
            return try run(
                seed, devices: Self.number("SIM_DEVICES") ?? 3 + seed % 3, acts: Self.number("SIM_ACTS") ?? 8)
        }
        for seed in stride(from: batch, to: Self.total, by: Self.batches) {
            try run(seed, devices: 3 + seed % 3, acts: 8)
        }
        // What they found has a test of its own each; as what is simulated grows, they come to be other runs.
        if batch == 0 { for seed in [1701, 3370, 4121, 5984, 8951] { try run(seed, devices: 3 + seed % 3, acts: 8) } }
    }

    @Test(
        "while backups are put back, what only one device changes at a hub that merges nothing never conflicts with itself",
        arguments: 0..<10)
    func restores(batch: Int) throws {
        try some(.restores, batch, of: Self.total / 10, from: 2_000_000, acts: 12)
        // Put back twice, to the same backup.
        if batch == 0, Self.number("SIM_SEED") == nil { try run(2_000_172, devices: 3, acts: 12, mood: .restores) }
    }

    @Test(
        "takes from nobody what he counted when he signs out and in again, over restarts and without a hub",
        arguments: 0..<10)
    func signOuts(batch: Int) throws { try some(.signOuts, batch, of: Self.total / 10, from: 3_000_000, acts: 12) }

    @Test(
        "keeps, sends, takes back and carries elsewhere what people decide of what waits, and nothing else",
        arguments: 0..<10)
    func decisions(batch: Int) throws { try some(.decisions, batch, of: Self.total / 5, from: 4_000_000, acts: 24) }

    /// A tenth of the runs of a mood, or the one that is to be replayed.
    private func some(_ mood: SimMood, _ batch: Int, of runs: Int, from first: Int, acts: Int) throws {
        if let seed = Self.number("SIM_SEED") {
            guard batch == 0, let variable = Self.variables[mood], getenv(variable) != nil else { return }
            return try run(seed, devices: 3, acts: Self.number("SIM_ACTS") ?? acts, mood: mood)
        }
        for seed in stride(from: batch, to: max(runs, 10), by: 10) {
            try run(first + seed, devices: 3, acts: acts, mood: mood)
        }
    }

    @Test("loses nothing, doubles nothing, shows nothing to the blind: forty devices", arguments: 0..<4)
    func forty(batch: Int) throws {
        guard Self.number("SIM_SEED") == nil else { return }
        for seed in stride(from: batch, to: max(Self.total / 250, 4), by: 4) {
            try run(1_000_000 + seed, devices: 40, acts: 3)
        }
    }
}
