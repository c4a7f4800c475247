import Basics
import Testing

@Suite("Times are read and written as AWSDateTime")
struct DateTimeTests {
    @Test(arguments: [
        ("1970-01-01T00:00:00.000Z", 0), ("1970-01-01T00:00:00Z", 0), ("1969-12-31T23:59:59.999Z", -1),
        ("2000-02-29T12:00:00.5Z", 951_825_600_500), ("2026-11-21T09:41:00.123Z", 1_795_254_060_123),
        ("2026-11-21T09:41:00.123999Z", 1_795_254_060_123), ("2026-11-21T09:41Z", 1_795_254_060_000),
        ("2026-11-21T10:41:00+01:00", 1_795_254_060_000), ("2026-11-21T04:11:00-05:30", 1_795_254_060_000),
        ("2026-11-21T09:41:30+00:00:30", 1_795_254_060_000), ("2026-11-21 09:41:00", 1_795_254_060_000),
        ("2026-11-21t09:41:00z", 1_795_254_060_000), ("1969-12-31T24:00:00Z", 0),
        ("0000-01-01T00:00:00Z", -62_167_219_200_000),
        ("9999-12-31T23:59:59.999Z", 253_402_300_799_999), ("2016-12-31T23:59:60Z", 1_483_228_800_000),
        ("2026-11-21T09:41:00.Z", 1_795_254_060_000),
    ])
    func aTimeIsRead(text: String, milliseconds: Int64) {
        #expect(DateTime(iso8601: text)?.milliseconds == milliseconds)
    }

    @Test(arguments: [
        "2026-11-21T09:41Z", "2026-11-21T09:41+02:00", "2026-11-21T09:41:59.123456-05:30", "2026-11-21T23:41:00",
    ])
    func aTextOfTheUsualFormIsTold(text: String) {
        #expect(DateTime.isStandard(text) && DateTime(iso8601: text) != nil)
    }

    @Test(arguments: [
        "2026-11-21 09:41:00Z", "2026-11-21t09:41:00Z", "2026-11-21T09:41:00z", "2026-11-21T24:00:00Z",
        "2016-12-31T23:59:60Z", "2026-11-21T09:41:00.Z", "2026-11-21T09:41:00.",
    ])
    func andOneThatNotEveryParserReads(text: String) {
        #expect(!DateTime.isStandard(text) && DateTime(iso8601: text) != nil)
    }

    @Test func partsOfAMillisecondAreTold() {
        for text in ["2026-11-21T09:41:00Z", "2026-11-21T09:41:00.12Z", "2026-11-21T09:41:00.123000+01:00"] {
            #expect(!DateTime.isFinerThanMilliseconds(text))
        }
        #expect(DateTime.isFinerThanMilliseconds("2026-11-21T09:41:00.1230001Z"))
    }

    @Test(arguments: [
        "", "2026", "2026-11-21", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "2026-11-31T00:00:00Z", "2026-11-21T25:00:00Z", "2026-11-21T24:00:01Z", "2026-11-21T09:60:00Z",
        "2026-11-21T09:41:61Z",
        "2026-11-21T09:41:00+1:00", "2026-11-21T09:41:00+24:00", "2026-11-21T09:41:00+01:60",
        "2026-11-21T09:41:00+0100",
        "2026-11-21T09:41:00ZZ", "2026-11-21T09:41:00 Z", "26-11-21T09:41:00Z", "2026-11-21T9:41:00Z",
        "+2026-11-21T09:41:00Z",
        "２０２６-11-21T09:41:00Z", "2026-11-21T09:41:00\u{0}",
        // In UTC their year has no four digits.
        "9999-12-31T23:59:59-14:00", "9999-12-31T24:00:00Z", "0000-01-01T00:00:00+14:00",
    ])
    func anythingElseIsRefused(text: String) {
        #expect(DateTime(iso8601: text) == nil)
    }

    @Test(arguments: [
        (0, "1970-01-01T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"),
        (951_782_400_007, "2000-02-29T00:00:00.007Z"),
        (-62_167_219_200_000, "0000-01-01T00:00:00.000Z"), (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
        (1_795_254_060_123, "2026-11-21T09:41:00.123Z"),
    ])
    func aTimeIsWrittenInUTCWithMilliseconds(milliseconds: Int64, text: String) {
        #expect(DateTime(milliseconds: milliseconds).iso8601 == text)
    }

    @Test func everyTimeComesBack() {
        let random = SeededRandom(seed: 11)
        for _ in 0..<5000 {
            let time = DateTime(milliseconds: Int64(random.next() % 315_569_520_000_000) - 62_167_219_200_000)
            #expect(DateTime(iso8601: time.iso8601) == time)
        }
    }

    @Test func everyDayOf400YearsComesBackInOrder() {
        var wrong: [Int] = []
        var previous = CivilDate(daysSince1970: -10_001)
        for day in -10_000..<146_097 {
            let date = CivilDate(daysSince1970: day)
            let isNext = (previous.year, previous.month, previous.day) < (date.year, date.month, date.day)
            if date.daysSince1970 != day || !isNext { wrong.append(day) }
            previous = date
        }
        #expect(wrong.isEmpty)
    }

    @Test func timesAreOrderedAndMoved() {
        let time = DateTime(milliseconds: 1000)
        #expect(time < time.advanced(by: 1))
        #expect(time.advanced(by: -1000) == DateTime(milliseconds: 0))
    }
}
