import Basics
import Models

/// What came of one mutation of a batch.
public enum MutationAnswer: Sendable {
    /// It was carried out; the record is the service's.
    case done(WireRecord)
    /// It was carried out, and there is no record, or one that cannot be read.
    case doneWithoutRecord(QuarantinedRecord?)
    /// It was refused.
    case refused([ResponseError])
    /// The answer does not speak of it.
    case missing
}

/// Reads whole answers.
public struct AnswerReader: Sendable {
    private var readers: [String: RecordReader] = [:]
    private let schema: Schema

    /// Prepares for all models of the schema.
    public init(schema: Schema) {
        self.schema = schema
        for model in schema.models { readers[model.name] = RecordReader(schema: schema, model: model) }
    }

    /// The reader of a model.
    public func reader(_ model: ModelSchema) -> RecordReader {
        readers[model.name] ?? RecordReader(schema: schema, model: model)
    }

    /// Reads the answer to ``RequestWriter/sync(_:filter:limit:nextToken:lastSync:)``.
    ///
    /// - Throws: `JSONError` where the bytes are no JSON.
    public func page(_ bytes: [UInt8], of model: ModelSchema) throws(JSONError) -> (SyncPage, AnswerTail) {
        let reader = reader(model)
        var page = SyncPage()
        let tail = try answer(bytes) { (_, cursor) throws(JSONError) in
            if try cursor.takeNull() { return }
            page.isPresent = true
            var more = try cursor.beginObject()
            while more {
                let key = try cursor.key()
                if cursor.matches(key, "items") {
                    try Self.items(&cursor, reader, into: &page)
                } else if cursor.matches(key, "nextToken") {
                    page.nextToken = try cursor.optionalString()
                } else if cursor.matches(key, "startedAt"), try !cursor.takeNull() {
                    page.startedAt = cursor.integer(try cursor.number()).flatMap { Self.times.contains($0) ? $0 : nil }
                } else if !cursor.matches(key, "startedAt") {
                    _ = try cursor.skipValue()
                }
                more = try cursor.nextMember()
            }
        }
        return (page, tail)
    }

    /// Milliseconds that may be a time. Others, which whatever stands in the backend's place may send, are none: they
    /// cannot be reckoned with.
    private static let times: ClosedRange<Int64> = 0...1_000_000_000_000_000

    private static func items(
        _ cursor: inout JSONCursor, _ reader: RecordReader, into page: inout SyncPage
    ) throws(JSONError) {
        var more = try cursor.beginArray()
        if more { page.items.reserveCapacity(1000) }
        while more {
            switch try reader.read(&cursor) {
            case .success(let record)?: page.items.append(record)
            case .failure(let fault)?: page.quarantined.append(fault)
            case nil:
                page.quarantined.append(
                    QuarantinedRecord(
                        model: reader.model.name, id: nil, reason: "the service sent null in place of a record",
                        text: ""))
            }
            more = try cursor.nextElement()
        }
    }

    /// Reads the answer to ``RequestWriter/push(_:withIDs:)``: one result for each mutation, in order.
    ///
    /// - Throws: `JSONError` where the bytes are no JSON.
    public func push(
        _ bytes: [UInt8], for mutations: [OutgoingMutation]
    ) throws(JSONError) -> ([MutationAnswer], AnswerTail) {
        var answers = [MutationAnswer](repeating: .missing, count: mutations.count)
        var isNull = [Bool](repeating: false, count: mutations.count)
        let tail = try answer(bytes) { (key, cursor) throws(JSONError) in
            guard key.first == UInt8(ascii: "m"), let index = Int(String(decoding: key.dropFirst(), as: UTF8.self)),
                mutations.indices.contains(index)
            else {
                _ = try cursor.skipValue()
                return
            }
            switch try self.reader(mutations[index].model).read(&cursor) {
            case .success(let record)?: answers[index] = .done(record)
            case .failure(let fault)?: answers[index] = .doneWithoutRecord(fault)
            case nil: isNull[index] = true
            }
        }
        var byAlias: [String: [ResponseError]] = [:]
        for error in tail.errors { if let field = error.rootField { byAlias[field, default: []].append(error) } }
        for index in mutations.indices {
            // An error deeper in a record that came leaves the mutation done.
            if case .missing = answers[index] {
                if let errors = byAlias["m\(index)"] {
                    answers[index] = .refused(errors)
                } else if isNull[index] {
                    answers[index] = .doneWithoutRecord(nil)
                }
            }
        }
        return (answers, tail)
    }

    /// Reads the answer to a get, or the payload of a subscription's data frame: the first root field's record.
    ///
    /// - Throws: `JSONError` where the bytes are no JSON.
    public func record(
        _ bytes: [UInt8], of model: ModelSchema
    ) throws(JSONError) -> (Result<WireRecord, QuarantinedRecord>?, AnswerTail) {
        let reader = reader(model)
        var result: Result<WireRecord, QuarantinedRecord>?
        let tail = try answer(bytes) { (_, cursor) throws(JSONError) in
            result = try reader.read(&cursor)
        }
        return (result, tail)
    }

    /// Reads what an answer says beside its data.
    ///
    /// - Throws: `JSONError` where the bytes are no JSON.
    public func tail(_ bytes: [UInt8]) throws(JSONError) -> AnswerTail {
        try answer(bytes) { (_, cursor) throws(JSONError) in _ = try cursor.skipValue() }
    }

    /// Reads the record that came with an error; nil where there is none or it cannot be read.
    public func record(of error: ResponseError, model: ModelSchema) -> WireRecord? {
        guard let data = error.data, case .object = data else { return nil }
        let reader = reader(model)
        return data.bytes.withUnsafeBufferPointer { buffer in
            var cursor = JSONCursor(buffer)
            guard let result = try? reader.read(&cursor), case .success(let record) = result else { return nil }
            return record
        }
    }

    /// Walks an answer: `field` reads each root field's value, the rest is returned.
    private func answer(
        _ bytes: [UInt8], field: (_ key: ArraySlice<UInt8>, _ cursor: inout JSONCursor) throws(JSONError) -> Void
    ) throws(JSONError) -> AnswerTail {
        let result: Result<AnswerTail, JSONError> = bytes.withUnsafeBufferPointer { buffer in
            var cursor = JSONCursor(buffer)
            do throws(JSONError) {
                return .success(try Self.walk(&cursor, bytes, field))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    private static func walk(
        _ cursor: inout JSONCursor, _ bytes: [UInt8],
        _ field: (_ key: ArraySlice<UInt8>, _ cursor: inout JSONCursor) throws(JSONError) -> Void
    ) throws(JSONError) -> AnswerTail {
        var tail = AnswerTail()
        var more = try cursor.beginObject()
        while more {
            let key = try cursor.key()
            if cursor.matches(key, "data") {
                tail.hasData = true
                if try !cursor.takeNull() {
                    var moreFields = try cursor.beginObject()
                    while moreFields {
                        let name = try cursor.key()
                        try field(bytes[name], &cursor)
                        moreFields = try cursor.nextMember()
                    }
                }
            } else {
                let isErrors = cursor.matches(key, "errors")
                let isExtensions = cursor.matches(key, "extensions")
                let range = try cursor.skipValue()
                if isErrors { tail.errors = ResponseError.list(json: try JSONValue(parsing: Array(bytes[range]))) }
                if isExtensions {
                    tail.bincount = try JSONValue(parsing: Array(bytes[range]))[WireExtension.bincount]
                }
            }
            more = try cursor.nextMember()
        }
        try cursor.end()
        return tail
    }
}
