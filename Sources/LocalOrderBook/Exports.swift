// What `import LocalOrderBook` includes: every module whose types occur in books, views, configuration and
// events. The only file of the package that re-exports modules; inside the package each file imports what it
// uses.

@_exported import BinanceVenue
@_exported import BookEngine
@_exported import BookService
@_exported import BookSync
@_exported import DepthBook
@_exported import DepthFeed
@_exported import FeedPlan
@_exported import LobHandoff
@_exported import LobMetrics
@_exported import LobTransport
@_exported import MarketData
