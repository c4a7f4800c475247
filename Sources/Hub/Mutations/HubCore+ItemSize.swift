import AppSync
import Models

extension HubCore {
    /// The refusal of a record that is too large to be stored, in DynamoDB's words; nil where it may be. One that was larger
    /// before may shrink.
    ///
    /// What is stored is what filters, merges and functions work on later, so that its size bounds what those cost.
    func sizeRefusal(of values: [Value], from stored: [Value] = [], _ mutation: Mutation) -> ResponseError? {
        let size = Self.size(of: values)
        guard size > engine.limits.itemBytes, size > Self.size(of: stored) else { return nil }
        let what = stored.isEmpty ? "Item size" : "Item size to update"
        return mutation.error(
            "\(what) has exceeded the maximum allowed size of \(engine.limits.itemBytes) bytes "
                + "(Service: DynamoDb, Status Code: 400, Request ID: 00000000)", ErrorType.dynamoDB)
    }

    private static func size(of values: [Value]) -> Int {
        values.reduce(0) { sum, value in
            switch value {
            case .null: sum
            case .text(let text): sum + text.utf8.count
            default: sum + 8
            }
        }
    }
}

extension ErrorType {
    /// What DynamoDB refuses for another reason than a condition.
    static let dynamoDB = "DynamoDB:DynamoDbException"
}
