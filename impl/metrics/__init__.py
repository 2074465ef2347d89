"""What a scrape of this process shows; the contract (`x-metrics`) says what that is."""
