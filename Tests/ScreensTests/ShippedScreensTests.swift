import Screens
import Testing

@Suite("The shipped screens")
struct ShippedScreensTests {
    @Test("hold nothing that the checks object to")
    func areClean() {
        #expect(Shipped.files.count >= 30)
        #expect(Shipped.library.diagnostics.map(\.description) == [])
    }
}
