"""The views: pictures, text, HTML and the widget, all made from the records alone."""
