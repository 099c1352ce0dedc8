"""Sources that are no files: a pull lands as a Parquet file in the workspace, and collect reads it as any other file.

================  ===================================================================
``landing.py``    pull what is new into ``warehouse/landed/NAME/``, and go on from there
``feed.py``       what a feed is: batches of records in the order of a cursor
``databases.py``  a table or a SELECT of a database, by URL
``hubspot.py``    objects of HubSpot
``salesforce.py`` objects of Salesforce
================  ===================================================================
"""
