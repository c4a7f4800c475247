import Basics
import Counting
import Crypto
import Models
import System
import WarehouseModels

/// The connectors that come with the program: CSV files and executable hooks.
public struct ConnectorPort: ExportPort {
    /// Makes the port.
    public init() {}

    /// Writes the file, or runs the hook; see ``ExportPort/perform(_:)``.
    public func perform(_ job: ExportJob) async -> ExportResult {
        switch job.connector.channel {
        case .csv(let directory): ConnectorPort.drop(job, into: directory)
        case .executable(let program): await run(job, program)
        }
    }

    // MARK: CSV

    /// The columns, in order.
    static let columns = [
        "batch_id", "line_id", "session", "warehouse", "bin", "item", "gtin", "lot", "expiry", "serial", "lpn", "owner",
        "status", "counted_qty", "uom", "base_qty", "base_uom", "zero_flag", "book_at_count", "variance", "counted_at",
        "counted_by", "pass_no", "approved_by", "reason",
    ]

    /// A document's file.
    static func csv(_ payload: ExportPayload) -> [UInt8] {
        func text(_ value: String?) -> CSV.Cell { value.map { .text($0) } ?? .empty }
        func number(_ value: Decimal3?) -> CSV.Cell { value.map { .plain($0.description) } ?? .empty }
        var file = CSV.line(columns.map { .plain($0) })
        for line in payload.lines {
            file += CSV.line([
                .plain(payload.id), .plain(line.id), .text(payload.session), text(line.site), text(line.bin),
                .text(line.sku), .empty, text(line.lot), .empty, text(line.serials.joined(separator: " ")),
                text(line.licencePlate), text(line.stockOwner), text(line.stockStatus), number(line.quantity),
                .text(line.unit), number(line.counted), .text(line.unit), .plain(line.zeroFlag ? "1" : "0"),
                number(line.bookAtCount), number(line.variance), line.countedAt.map { .plain($0.iso8601) } ?? .empty,
                text(line.countedBy.joined(separator: " ")), text(line.passes.joined(separator: " ")),
                text(line.approvedBy), text(line.reason),
            ])
        }
        return Array(file.utf8)
    }

    /// A file in place is taken: its name is the document's id, so that a repetition makes no second one.
    private static func drop(_ job: ExportJob, into directory: String) -> ExportResult {
        let path = directory + "/" + job.payload.id + ".csv"
        let id = job.payload.id
        do {
            if Files.exists(path) { return ExportResult(document: id, answer: .confirmed(reference: id + ".csv")) }
            if job.act == .find { return ExportResult(document: id, answer: .notFound) }
            try Files.createDirectory(directory)
            let bytes = csv(job.payload)
            try Files.writeAtomically(SHA256.hexDigest(bytes) + "  " + id + ".csv\n", to: path + ".sha256")
            try Files.writeAtomically(String(decoding: bytes, as: UTF8.self), to: path)
            return ExportResult(document: id, answer: .confirmed(reference: id + ".csv"))
        } catch {
            return ExportResult(document: id, answer: .retry("\(error)"))
        }
    }

    // MARK: Hooks

    /// A document in JSON.
    static func json(_ payload: ExportPayload) -> JSONValue {
        func text(_ value: String?) -> JSONValue { value.map { .string($0) } ?? .null }
        func number(_ value: Decimal3?) -> JSONValue { value?.json ?? .null }
        return [
            "id": .string(payload.id), "session": .string(payload.session),
            "semantics": .string(payload.semantics.rawValue), "grain": .string(payload.grain),
            "lines": .array(
                payload.lines.map { line in
                    [
                        "id": .string(line.id), "site": text(line.site), "location": text(line.location),
                        "bin": text(line.bin), "item": .string(line.sku), "lot": text(line.lot),
                        "owner": text(line.stockOwner), "status": text(line.stockStatus),
                        "lpn": text(line.licencePlate), "quantity": number(line.quantity), "unit": .string(line.unit),
                        "zeroFlag": .bool(line.zeroFlag), "counted": number(line.counted),
                        "bookAtCount": number(line.bookAtCount), "variance": number(line.variance),
                        "movedSince": number(line.movedSince), "countedAt": text(line.countedAt?.iso8601),
                        "countedBy": .array(line.countedBy.map { .string($0) }),
                        "serials": .array(line.serials.map { .string($0) }), "approvedBy": text(line.approvedBy),
                        "reason": text(line.reason), "erpRef": line.erpRef ?? .null,
                    ]
                }),
        ]
    }

    private func run(_ job: ExportJob, _ program: String) async -> ExportResult {
        let id = job.payload.id
        let command = job.act == .send ? [program, "send"] : [program, "find", id]
        let result: ChildResult
        do {
            result = try await ChildProcess.run(
                command, environment: ["PATH": "/usr/bin:/bin", "BINCOUNT_DOCUMENT": id],
                input: job.act == .send ? ConnectorPort.json(job.payload).bytes : [],
                timeoutMilliseconds: job.connector.timeoutMilliseconds, outputLimit: 1 << 20)
        } catch {
            // It was never started, so nothing was sent.
            return ExportResult(
                document: id, answer: job.act == .send ? .retry("\(error)") : .unknown("\(error)"))
        }
        return ConnectorPort.read(result, job)
    }

    /// What a hook's end means: 0 with `status` ok, retry or reject; 75 retry; anything else a rejection. A hook that
    /// was cut off may have sent.
    static func read(_ result: ChildResult, _ job: ExportJob) -> ExportResult {
        let id = job.payload.id
        let said = try? JSONValue(parsing: result.standardOutput)
        let complaint = String(decoding: result.standardError.prefix(500), as: UTF8.self)
        let error = printable(said?["error"]?.string ?? (complaint.isEmpty ? DeskText.hookSilent() : complaint))
        if result.timedOut { return ExportResult(document: id, answer: .unknown(DeskText.hookSlow())) }
        guard case .code(let code) = result.status else {
            return ExportResult(document: id, answer: .unknown(DeskText.hookSignal()))
        }
        let lines = (said?["lines"]?.array ?? []).compactMap { line -> ExportResult.LineResult? in
            guard let name = line["id"]?.string else { return nil }
            return ExportResult.LineResult(
                id: name, isAccepted: line["status"]?.string ?? "ok" == "ok", reference: line["ref"]?.string,
                error: line["error"]?.string)
        }
        let status = said?["status"]?.string
        if job.act == .find {
            switch (code, status) {
            case (0, "ok"?), (0, "found"?):
                return ExportResult(document: id, answer: .confirmed(reference: said?["ref"]?.string), lines: lines)
            case (0, "missing"?), (0, "not-found"?): return ExportResult(document: id, answer: .notFound)
            case (75, _): return ExportResult(document: id, answer: .unknown(error))
            default:
                return ExportResult(
                    document: id, answer: .cannotFind(DeskText.hookCannotFind(["document": id])))
            }
        }
        switch (code, status) {
        case (75, _), (0, "retry"?): return ExportResult(document: id, answer: .retry(error))
        case (0, "ok"?), (0, nil):
            return ExportResult(document: id, answer: .confirmed(reference: said?["ref"]?.string), lines: lines)
        default: return ExportResult(document: id, answer: .rejected(error), lines: lines)
        }
    }
}
