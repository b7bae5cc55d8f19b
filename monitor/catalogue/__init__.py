"""Facts about vendors, as data with their date: models, prices, retirements."""
