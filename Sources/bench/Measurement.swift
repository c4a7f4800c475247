import Basics
import Glibc

/// One line of the table: what was measured, against what, and whether it reaches the target.
struct Row: Sendable {
    let id: String
    let value: Double
    let unit: String
    /// The reference in the same run, in the same unit; nil where there is none.
    var reference: Double?
    /// `value / reference`, as the target is stated.
    var ratio: Double?
    let target: String
    let met: Bool
    /// What a reader should know beside the figure: percentiles, sizes, variants.
    var note = ""

    var json: JSONValue {
        .object([
            "id": .string(id), "value": number(value), "unit": .string(unit),
            "reference": reference.map(number) ?? .null,
            "ratio": ratio.map(number) ?? .null, "target": .string(target), "met": .bool(met), "note": .string(note),
        ])
    }

    private func number(_ value: Double) -> JSONValue { .number(short(value)) }
}

/// A number with three significant places, never in scientific form.
func short(_ value: Double) -> String {
    guard value.isFinite else { return "0" }
    let magnitude = abs(value)
    if magnitude >= 1000 { return String(Int(value.rounded())) }
    let places = magnitude >= 100 ? 1 : magnitude >= 1 ? 2 : 4
    return decimal(value, places: places)
}

private func decimal(_ value: Double, places: Int) -> String {
    var scale = 1.0
    for _ in 0..<places { scale *= 10 }
    let units = Int((value * scale).rounded())
    let whole = abs(units) / Int(scale)
    return (units < 0 ? "-" : "") + "\(whole)." + padded(abs(units) % Int(scale), places)
}

/// Seconds that `body` takes.
func seconds(_ body: () throws -> Void) rethrows -> Double {
    let clock = ContinuousClock()
    let start = clock.now
    try body()
    return (clock.now - start).inSeconds
}

/// Seconds that `body` takes, with its waits.
func asyncSeconds(_ body: () async throws -> Void) async rethrows -> Double {
    let clock = ContinuousClock()
    let start = clock.now
    try await body()
    return (clock.now - start).inSeconds
}

extension Duration {
    /// The duration as a double.
    var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}

/// Samples, for percentiles.
struct Samples: Sendable {
    private(set) var values: [Double] = []

    mutating func add(_ value: Double) { values.append(value) }

    static func += (left: inout Samples, right: Samples) { left.values += right.values }

    /// The value below which `share` of the samples lie.
    func percentile(_ share: Double) -> Double {
        guard !values.isEmpty else { return 0 }
        let sorted = values.sorted()
        return sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))]
    }

    /// `p50 … p99 …` in milliseconds.
    var milliseconds: String { "p50 \(short(percentile(0.5) * 1000)) ms, p99 \(short(percentile(0.99) * 1000)) ms" }
}

/// Millions of samples in little memory: counts by value, two percent apart.
struct Histogram: Sendable {
    private static let least = 1e-6
    private static let step = 1.02
    private var counts: [Int] = Array(repeating: 0, count: 1_000)
    private(set) var count = 0
    private(set) var most = 0.0

    mutating func add(_ seconds: Double) {
        most = max(most, seconds)
        let place = log(max(seconds, Self.least) / Self.least) / log(Self.step)
        counts[min(counts.count - 1, Int(place))] += 1
        count += 1
    }

    /// The value below which `share` of the samples lie, at most two percent too high.
    func percentile(_ share: Double) -> Double {
        var rest = Int(Double(count) * share)
        for (place, number) in counts.enumerated() {
            rest -= number
            if rest < 0 { return Self.least * pow(Self.step, Double(place + 1)) }
        }
        return 0
    }

    /// `p50 … p99 …` in milliseconds.
    var milliseconds: String { "p50 \(short(percentile(0.5) * 1000)) ms, p99 \(short(percentile(0.99) * 1000)) ms" }

    /// `p99 … at most …` in milliseconds.
    var worst: String { "p99 \(short(percentile(0.99) * 1000)) ms, at most \(short(most * 1000)) ms" }
}

/// The best of several runs: what the machine can do when nothing else disturbs it.
func best(of rounds: Int, _ body: () throws -> Double) rethrows -> Double {
    var result = Double.infinity
    for _ in 0..<rounds { result = min(result, try body()) }
    return result
}
