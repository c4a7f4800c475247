import Models
import WarehouseModels

/// What an accepted line tells an ERP, by what a posted count means there.
public struct PostingQuantity: Sendable, Hashable {
    /// The number to send.
    public let quantity: Decimal3
    /// The movements since the count that the number contains; zero where none are to be added.
    public let movedSince: Decimal3

    /// The number for one semantics.
    ///
    /// - Parameters:
    ///   - counted: the standing count.
    ///   - bookAtCount: the book at its time.
    ///   - moved: movements booked after the count and up to the sending.
    ///   - bookFrozen: whether the ERP compares with the book frozen for the count rather than with today's.
    public init(
        _ semantics: PostingSemantics, counted: Decimal3, bookAtCount: Decimal3, moved: Decimal3, bookFrozen: Bool
    ) {
        switch semantics {
        case .COUNT_VERSUS_BOOK:
            // The ERP takes its own book off: today's, unless it froze it.
            movedSince = bookFrozen ? .zero : moved
            quantity = counted.adding(movedSince)
        case .DELTA:
            movedSince = .zero
            quantity = counted.adding(-bookAtCount)
        case .ABSOLUTE_NOW:
            movedSince = moved
            quantity = counted.adding(moved)
        case .ABSOLUTE_AT:
            // Posted with the time of the count: the ERP replays what came after.
            movedSince = .zero
            quantity = counted
        }
    }
}
